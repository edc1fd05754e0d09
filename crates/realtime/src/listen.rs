//! Connections: HTTP/1.1 that may become websockets, each with its bounds.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use mcpanel_net::{Unstalled, accept, http};
use socket2::SockRef;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};
use tower::ServiceExt;

use crate::{
    limits::{SEND_BUFFER_BYTES, STOP_MS_MAX},
    settings::Settings,
};

/// Connections for each socket that may be there: a polling one has two, now and then.
const CONNECTIONS_PER_SOCKET: usize = 2;

/// Serves until `stop`; tells how many connections had to be cut off.
pub(crate) fn run(
    listener: TcpListener,
    service: Router,
    settings: &Settings,
    stop: watch::Receiver<bool>,
) -> impl Future<Output = usize> + Send + use<> {
    // Taken over by the connections that it accepts.
    if let Err(error) = SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER_BYTES) {
        tracing::debug!(%error, "cannot bound the send buffers of sockets");
    }
    let connections_max = settings.sockets_max.saturating_mul(CONNECTIONS_PER_SOCKET);
    let bound = connections_max.min(Semaphore::MAX_PERMITS);
    serve(listener, service, bound, settings.patience.write, stop)
}

async fn serve(
    listener: TcpListener,
    service: Router,
    bound: usize,
    stall: Duration,
    mut stop: watch::Receiver<bool>,
) -> usize {
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
        // A websocket's writer waits for its peer, and all that waits for the writer waits along: a peer that reads nothing
        // would hold a socket for ever.
        let io = TokioIo::new(Unstalled::new(stream, stall, place));
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
