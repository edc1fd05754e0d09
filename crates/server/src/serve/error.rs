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
