//! The server as a process runs it: data directory, store, background work and connections, from start to stop.
//!
//! Stopping goes outward in: readiness off, no new connections, waiting calls answered with what
//! they have, requests under way finished in the time there is, background work ended, the store closed. What is cut off
//! then loses an answer and no acknowledged change. An instance among others first takes connections for a while more,
//! so that whoever shares out requests sees that it is not ready; nothing needs to be handed over, because leases,
//! timers and pipelines are in the store and any other instance goes on with them.

mod background;
mod connections;
mod data;
mod error;
mod settings;
mod sockets;

use std::{net::SocketAddr, time::Duration};

pub use mcpanel_dashboard::Environment;
use mcpanel_guard::Secret;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

pub use data::{ARTIFACTS_FOLDER, STORE_FOLDER};
pub use error::StartError;
pub use settings::{Instance, JWT_SECRET_BYTES_MIN, Role, Settings, Shared};
pub use sockets::{Alone, Showing};

use crate::{app::App, realtime, service, stop::Stop};
use connections::Listening;
use data::Data;

/// A server that runs until it is stopped.
pub struct Running {
    app: App,
    admin_key: Secret,
    http_addr: SocketAddr,
    listening: JoinHandle<usize>,
    realtime: Option<(SocketAddr, JoinHandle<usize>)>,
    background: JoinSet<()>,
    data: Data,
    close: Stop,
    linger: Duration,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that had to be cut off.
    pub cut_off: usize,
}

/// Starts a server. When this returns, it answers; when it fails, nothing runs.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    settings.check()?;
    let (listener, http_addr) = listen(settings.http)?;
    let Instance { role, drain, .. } = settings.instance;
    // Taken before anything runs, like the other one.
    let realtime = match role.has_realtime() {
        true => Some(listen(settings.realtime)?),
        false => None,
    };
    let (data, secrets) = data::open(&settings).await?;
    let mut app = App::new(data.store(), data.env(), &secrets, data.files());
    app.redis = data.redis();
    app.peers = data.peers();
    app.figures = data.figures();
    app.rates = data.rates(settings.instance.limits);
    app.environment = settings
        .instance
        .environment
        .as_deref()
        .and_then(Environment::parse);
    app.base = settings.instance.base.clone();
    let linger = settings.instance.linger();
    let close = Stop::new();
    let listening = Listening {
        listener,
        service: match role.has_api() {
            true => service::router(app.clone()),
            false => service::probes(app.clone()),
        },
        close: close.clone(),
        finish_within: drain.saturating_sub(linger),
    };
    let realtime = realtime.map(|(listener, address)| {
        let sockets = realtime::over(&app, realtime::settings(settings.origins));
        tracing::info!(%address, "serving sockets");
        (
            address,
            tokio::spawn(sockets.serve(listener, close.subscribe())),
        )
    });
    match settings.instance.shared {
        None => {
            tracing::info!(address = %http_addr, ?role, data_dir = %settings.data_dir.display(), "serving");
        }
        Some(_) => tracing::info!(address = %http_addr, ?role, store = "MongoDB", "serving"),
    }
    Ok(Running {
        listening: tokio::spawn(listening.run()),
        realtime,
        background: background::start(&app),
        admin_key: secrets.admin_key,
        http_addr,
        app,
        data,
        close,
        linger,
    })
}

/// Takes an address, and tells which one it is.
fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = connections::bind(address)?;
    let taken = listener.local_addr();
    let taken = taken.map_err(|source| StartError::Listen { address, source })?;
    Ok((listener, taken))
}

impl Running {
    /// Where the API is served.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Where sockets are served, if this instance serves any.
    pub fn realtime_addr(&self) -> Option<SocketAddr> {
        self.realtime.as_ref().map(|(address, _)| *address)
    }

    /// The administrator's key, for who runs the server in its own process.
    pub fn admin_key(&self) -> &Secret {
        &self.admin_key
    }

    /// The application, for who runs the server in its own process.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The signal that stops it: [`Running::stop`] gives it, and waits.
    pub fn stop_signal(&self) -> &Stop {
        &self.app.stop
    }

    /// Stops: when this returns, nothing runs any more and everything acknowledged is on the disk.
    pub async fn stop(mut self) -> Stopped {
        self.app.stop.begin();
        tokio::time::sleep(self.linger).await;
        self.close.begin();
        let mut cut_off = 0;
        if let Some((_, sockets)) = self.realtime {
            cut_off += ended(sockets.await, "the realtime listener").unwrap_or(0);
        }
        cut_off += ended(self.listening.await, "the listener").unwrap_or(0);
        while let Some(outcome) = self.background.join_next().await {
            ended(outcome, "background work");
        }
        drop(self.app);
        self.data.close().await;
        tracing::info!(cut_off, "stopped");
        Stopped { cut_off }
    }
}

/// What a part ended with; a part that broke is written down, and the others still end in order.
fn ended<T>(outcome: Result<T, tokio::task::JoinError>, part: &'static str) -> Option<T> {
    outcome
        .map_err(|error| tracing::error!(part, %error, "a part of the server broke"))
        .ok()
}
