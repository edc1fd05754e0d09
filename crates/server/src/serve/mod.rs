//! The server as a process runs it: data directory, store, background work and connections, from start to stop.
//!
//! Stopping goes outward in: readiness off, no new connections, waiting calls answered with what
//! they have, requests under way finished within [`STOP_MS_MAX`](crate::limits::STOP_MS_MAX), background work ended, the
//! store closed. What is cut off then loses an answer and no acknowledged change.

mod background;
mod connections;
mod data;
mod error;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use mcpanel_guard::{Secret, secrets::Given};
use tokio::task::{JoinHandle, JoinSet};

pub use error::StartError;

use crate::{app::App, env::SystemEnv, service, stop::Stop};
use connections::Listening;
use data::Data;

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept; made when it is missing.
    pub data_dir: PathBuf,
    /// Where the API is served. Port 0 takes a free one.
    pub http: SocketAddr,
    /// Where the realtime protocol will be served. Nothing listens there yet.
    pub realtime: SocketAddr,
    /// Secrets from outside; what is not given is read from the data directory, or made there.
    pub secrets: Given,
}

/// A server that runs until it is stopped.
pub struct Running {
    app: App,
    admin_key: Secret,
    http_addr: SocketAddr,
    listening: JoinHandle<usize>,
    background: JoinSet<()>,
    data: Data,
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
    let listener = connections::bind(settings.http)?;
    let http_addr = listener.local_addr().map_err(|source| StartError::Listen {
        address: settings.http,
        source,
    })?;
    let (data, secrets) = data::open(&settings)?;
    let env = Arc::new(SystemEnv);
    let app = App::new(data.store(), env, &secrets, data.files());
    let listening = Listening {
        listener,
        service: service::router(app.clone()),
        stop: app.stop.clone(),
    };
    tracing::info!(address = %http_addr, data_dir = %settings.data_dir.display(), "serving");
    Ok(Running {
        listening: tokio::spawn(listening.run()),
        background: background::start(&app),
        admin_key: secrets.admin_key,
        http_addr,
        app,
        data,
    })
}

impl Settings {
    fn check(&self) -> Result<(), StartError> {
        if self.http == self.realtime && self.http.port() != 0 {
            return Err(StartError::SameAddress { address: self.http });
        }
        Ok(())
    }
}

impl Running {
    /// Where the API is served.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
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
        let cut_off = ended(self.listening.await, "the listener").unwrap_or(0);
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
