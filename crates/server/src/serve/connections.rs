//! Connections: HTTP/1.1, each with its bounds.
//!
//! One request at a time on each, so the bound on connections bounds the requests. HTTP/2 would add nothing for
//! callers that keep connections open, and has a bound of its own for everything.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown, service::TowerToHyperService};
use mcpanel_net::{Unstalled, accept, http};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::Semaphore,
};
use tower::ServiceExt;

use super::StartError;
use crate::{
    limits::{BACKLOG, CONNECTIONS_MAX, WRITE_STALL_MS_MAX},
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
                TokioIo::new(Unstalled::new(stream, stall, place)),
                TowerToHyperService::new(service),
            ));
            let cut = cut.clone();
            tokio::spawn(async move {
                tokio::select! {
                    // Broken connections are the callers' business.
                    _ = connection => {}
                    () = cut.begun() => {}
                }
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
