//! Why a server does not start.

use std::{io, net::SocketAddr, path::PathBuf};

use mcpanel_guard::secrets;
use mcpanel_store_embedded::OpenError;

/// Why a server does not start. Nothing runs then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two listeners cannot share an address.
    #[error("`{address}` is given for HTTP and for realtime; give them different addresses")]
    SameAddress {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {}", reason(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// One server has nobody to leave a part of the work to.
    #[error(
        "a role other than `all` needs other instances: give `MONGODB_URI` and `REDIS_URL`, which they share"
    )]
    Alone,
    /// Instances that do not sign alike do not know each other's tokens.
    #[error(
        "`JWT_SECRET` is not given: instances that share MongoDB and Redis must sign tokens alike; give all of them the same output of `openssl rand -hex 32`"
    )]
    NoJwtSecret,
    /// A short key can be guessed from one token.
    #[error(
        "`JWT_SECRET` has {bytes} bytes, at least {min} are needed; take the output of `openssl rand -hex 32`"
    )]
    ShortJwtSecret {
        /// How many it has.
        bytes: usize,
        /// How many it needs.
        min: usize,
    },
    /// MongoDB cannot be used.
    #[error(transparent)]
    MongoDb(#[from] mcpanel_store_mongo::OpenError),
    /// Redis cannot be meant.
    #[error("`REDIS_URL` {0}")]
    Redis(#[from] mcpanel_store_mongo::link::InvalidAddress),
    /// Redis does not let us in.
    #[error(transparent)]
    RedisCredentials(#[from] mcpanel_store_mongo::link::Refused),
    /// The database of artifacts' bytes cannot be used.
    #[error("cannot keep artifacts in MongoDB")]
    Artifacts(#[source] mcpanel_adapters::artifacts::Error),
    /// The data directory cannot be used.
    #[error("cannot use `{}` as the data directory", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] OpenError),
}

/// The usual reasons, with what helps.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or give another address".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "the system does not allow it; ports below 1024 need privileges".to_owned()
        }
        _ => error.to_string(),
    }
}
