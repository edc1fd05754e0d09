//! Connections: HTTP/1.1 that may become websockets, each with its bounds.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::ServiceExt;

use crate::{
    limits::{ACCEPT_PAUSE_MS, HEADERS_BYTES_MAX, HEADERS_MAX, IDLE_MS_MAX, STOP_MS_MAX},
    stall::Stall,
};

/// Connections for each socket that may be there: a polling one has two, now and then.
const CONNECTIONS_PER_SOCKET: usize = 2;

/// Serves until `stop`; tells how many connections had to be cut off.
pub(crate) async fn run(
    listener: TcpListener,
    service: Router,
    sockets_max: usize,
    mut stop: watch::Receiver<bool>,
) -> usize {
    let bound = (sockets_max * CONNECTIONS_PER_SOCKET).min(Semaphore::MAX_PERMITS);
    let places = Arc::new(Semaphore::new(bound));
    let http = http();
    let cut = stop.clone();
    loop {
        let (stream, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let service = service
            .clone()
            .map_request(|request: Request<Incoming>| request.map(Body::new));
        let io = TokioIo::new(Stall::new(stream, place));
        let connection = http
            .serve_connection(io, TowerToHyperService::new(service))
            .with_upgrades();
        let mut cut = cut.clone();
        tokio::spawn(async move {
            tokio::select! {
                // Broken connections are the callers' business.
                _ = connection => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
        });
    }
    drop(listener);
    finish(&places, bound).await
}

/// Sockets were told to go; those that did not are dropped with the process.
async fn finish(places: &Semaphore, bound: usize) -> usize {
    let all = u32::try_from(bound).unwrap_or(u32::MAX);
    let ended = places.acquire_many(all);
    let in_time = Duration::from_millis(STOP_MS_MAX);
    match tokio::time::timeout(in_time, ended).await {
        Ok(_) => 0,
        Err(_) => bound - places.available_permits(),
    }
}

/// The next connection, and its place among them.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let place = places
            .clone()
            .acquire_owned()
            .await
            .expect("nobody closes the semaphore");
        match listener.accept().await {
            Ok((stream, _)) => {
                // Messages are small and somebody waits for each.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(IDLE_MS_MAX))
        .max_headers(HEADERS_MAX)
        .max_header_size(HEADERS_BYTES_MAX);
    http
}
