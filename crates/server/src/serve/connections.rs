//! Connections: HTTP/1.1, each with its bounds.
//!
//! One request at a time on each, so the bound on connections bounds the requests. HTTP/2 would add nothing for
//! callers that keep connections open, and has a bound of its own for everything.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

use super::{StartError, stalled::Unstalled};
use crate::{
    limits::{
        ACCEPT_PAUSE_MS, BACKLOG, CONNECTIONS_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, IDLE_MS_MAX,
        WRITE_STALL_MS_MAX,
    },
    stop::Stop,
};

/// Takes the address.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    socket
        .and_then(|socket| {
            // A restart must not wait for connections of the process before to be forgotten.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        })
        .map_err(|source| StartError::Listen { address, source })
}

/// A listener and what it serves.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) service: Router,
    /// The signal to take no more connections.
    pub(super) close: Stop,
    /// How long requests under way may take then.
    pub(super) finish_within: Duration,
}

impl Listening {
    /// Serves until the server stops; tells how many connections had to be cut off.
    pub(super) async fn run(self) -> usize {
        let Self {
            listener,
            service,
            close,
            finish_within,
        } = self;
        let graceful = GracefulShutdown::new();
        let cut = Stop::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let http = http();
        let stall = Duration::from_millis(WRITE_STALL_MS_MAX);
        loop {
            let (stream, place) = tokio::select! {
                accepted = accept(&listener, &places) => accepted,
                () = close.begun() => break,
            };
            let service = service
                .clone()
                .map_request(|request: Request<Incoming>| request.map(Body::new));
            let connection = graceful.watch(http.serve_connection(
                TokioIo::new(Unstalled::new(stream, stall)),
                TowerToHyperService::new(service),
            ));
            let cut = cut.clone();
            tokio::spawn(async move {
                tokio::select! {
                    // Broken connections are the callers' business.
                    _ = connection => {}
                    () = cut.begun() => {}
                }
                drop(place);
            });
        }
        drop(listener);
        finish(graceful, &cut, &places, finish_within).await
    }
}

/// Lets requests under way come to their end, and cuts off those that do not.
async fn finish(
    graceful: GracefulShutdown,
    cut: &Stop,
    places: &Semaphore,
    within: Duration,
) -> usize {
    let finished = graceful.shutdown();
    tokio::pin!(finished);
    if tokio::time::timeout(within, &mut finished).await.is_ok() {
        return 0;
    }
    let cut_off = CONNECTIONS_MAX - places.available_permits();
    cut.begin();
    finished.await;
    cut_off
}

/// The next connection, and its place among them.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    loop {
        let place = places
            .clone()
            .acquire_owned()
            .await
            .expect("nobody closes the semaphore");
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and somebody waits for each.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                return (stream, place);
            }
            Err(error) => {
                // The caller is gone already, or there are no file descriptors left; only time helps with those.
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
