//! How a server is started: alone with its data directory, or as one of many instances over MongoDB and Redis.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use mcpanel_guard::{Secret, secrets::Given};

use super::StartError;
use crate::{
    limits::{DRAIN_LINGER_MS_MAX, STOP_MS_MAX},
    mount::BasePath,
    rates::Limits,
};

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where a server that runs alone keeps everything, and any server the secrets that it makes; made when it is missing.
    pub data_dir: PathBuf,
    /// Where the API is served. Port 0 takes a free one.
    pub http: SocketAddr,
    /// Where the realtime protocol is served.
    pub realtime: SocketAddr,
    /// Origins, such as `https://panel.example.org`, whose pages may connect there beside those of its own address.
    pub origins: Vec<String>,
    /// Secrets from outside; what is not given is read from the data directory, or made there.
    pub secrets: Given,
    /// Whether others share its work, and what it does of it.
    pub instance: Instance,
}

/// One server among others, or the only one.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What it shares with other instances; none when it runs alone.
    pub shared: Option<Shared>,
    /// What it does.
    pub role: Role,
    /// How long it may take to stop.
    pub drain: Duration,
    /// How many calls callers may make; when left out, the usual limits among instances, and none for one that runs alone.
    pub limits: Option<Limits>,
    /// Where it stands, for the dashboard's pages: a name, and a colour after a colon when one wishes.
    pub environment: Option<String>,
    /// The path below which it is found, where it shares a host with others.
    pub base: Option<BasePath>,
}

/// What all instances share.
#[derive(Clone)]
pub struct Shared {
    /// MongoDB, which holds the truth.
    pub mongodb_uri: Secret,
    /// Redis, which holds what can be rebuilt.
    pub redis_url: Secret,
    /// A directory that all instances see, for artifacts' bytes; without one they are in MongoDB.
    pub artifacts: Option<PathBuf>,
}

/// What a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The API, and the work behind it.
    Api,
    /// The realtime protocol alone.
    Realtime,
    /// Both.
    All,
}

impl Default for Instance {
    /// A server that runs alone and does everything.
    fn default() -> Self {
        Self {
            shared: None,
            role: Role::All,
            drain: Duration::from_millis(STOP_MS_MAX),
            limits: None,
            environment: None,
            base: None,
        }
    }
}

impl Instance {
    /// How long a stopping instance still takes connections, so that whoever shares out requests sees that it is not
    /// ready any more. One that runs alone has nobody to send them to.
    pub(super) fn linger(&self) -> Duration {
        match self.shared {
            Some(_) => (self.drain / 4).min(Duration::from_millis(DRAIN_LINGER_MS_MAX)),
            None => Duration::ZERO,
        }
    }
}

impl Role {
    /// Whether it serves the API.
    pub fn has_api(self) -> bool {
        match self {
            Self::Api | Self::All => true,
            Self::Realtime => false,
        }
    }

    /// Whether it serves the realtime protocol.
    pub fn has_realtime(self) -> bool {
        match self {
            Self::Realtime | Self::All => true,
            Self::Api => false,
        }
    }
}

impl fmt::Debug for Shared {
    /// Without the addresses: they hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("artifacts", &self.artifacts)
            .finish_non_exhaustive()
    }
}

/// Shortest key that signs the tokens of several instances, in bytes: what HMAC-SHA256 takes in whole.
pub const JWT_SECRET_BYTES_MIN: usize = 32;

impl Settings {
    /// The address that most can reach: it decides how strong secrets must be.
    pub(super) fn most_public(&self) -> IpAddr {
        match self.http.ip().is_loopback() && self.instance.role.has_realtime() {
            true => self.realtime.ip(),
            false => self.http.ip(),
        }
    }

    /// Finds what contradicts itself.
    pub(super) fn check(&self) -> Result<(), StartError> {
        if self.http == self.realtime && self.http.port() != 0 {
            return Err(StartError::SameAddress { address: self.http });
        }
        if self.instance.shared.is_none() {
            return match self.instance.role {
                Role::All => Ok(()),
                Role::Api | Role::Realtime => Err(StartError::Alone),
            };
        }
        shared_secret(self.secrets.jwt.as_ref()).map(drop)
    }
}

/// The secret that signs the tokens of several instances, if it is given and long enough.
pub(super) fn shared_secret(given: Option<&Secret>) -> Result<&Secret, StartError> {
    match given {
        None => Err(StartError::NoJwtSecret),
        Some(secret) if secret.reveal().len() < JWT_SECRET_BYTES_MIN => {
            Err(StartError::ShortJwtSecret {
                bytes: secret.reveal().len(),
                min: JWT_SECRET_BYTES_MIN,
            })
        }
        Some(secret) => Ok(secret),
    }
}
