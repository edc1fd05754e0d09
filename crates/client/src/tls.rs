//! Encryption: whose certificates are trusted.
//!
//! Calls and sockets share one configuration: rustls over ring, which the drivers of the databases bring too. It is
//! handed to whoever connects. A default for the process would depend on who comes first.

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use reqwest::Url;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{Error, Result, address::is_of_this_machine};

/// Longest file of certificates that is read, in bytes: the bundles of systems have a quarter of a million.
const PEM_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Whose certificates are trusted.
#[derive(Clone, Default)]
pub enum Trust {
    /// Those of the authorities that this system trusts, or that SSL_CERT_FILE and SSL_CERT_DIR name.
    #[default]
    System,
    /// Those of these authorities, and of no others.
    Authorities {
        /// The file that holds them.
        file: PathBuf,
        /// What is in it.
        certificates: Arc<[CertificateDer<'static>]>,
    },
}

impl Trust {
    /// Reads the certificates of authorities from a PEM file.
    pub fn of_file(path: &Path) -> Result<Self> {
        let shown = path.display();
        let mut pem = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(PEM_BYTES_MAX + 1).read_to_end(&mut pem))
            .map_err(|source| Error::File {
                what: "read the certificates of",
                path: path.to_owned(),
                source,
            })?;
        let wrong = |why: String| {
            Error::Config(format!(
                "`{shown}` holds no authorities to trust: {why}; they stand in it as PEM, `-----BEGIN CERTIFICATE-----`"
            ))
        };
        if pem.len() as u64 > PEM_BYTES_MAX {
            return Err(wrong(format!("it is longer than {PEM_BYTES_MAX} bytes")));
        }
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| wrong(error.to_string()))?;
        if certificates.is_empty() {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots
                .add(certificate.clone())
                .map_err(|error| wrong(error.to_string()))?;
        }
        Ok(Self::Authorities {
            file: path.to_owned(),
            certificates: certificates.into(),
        })
    }

    /// A builder of connections to the server at `url`, which trust these. Those of the system are read only where
    /// they are needed, since they are many.
    ///
    /// A proxy of the environment carries encrypted words alone, and none to this machine: it would read a credential
    /// in the open, and its own loopback is another one.
    pub fn connections(&self, url: &Url) -> Result<reqwest::ClientBuilder> {
        let tls = match url.scheme() {
            "https" => self.config()?,
            _ => trusting(RootCertStore::empty())?,
        };
        let builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
        Ok(match url.scheme() == "http" || is_of_this_machine(url) {
            true => builder.no_proxy(),
            false => builder,
        })
    }

    /// What rustls is told.
    pub(crate) fn config(&self) -> Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::Authorities { certificates, .. } => {
                roots.add_parsable_certificates(certificates.iter().cloned());
            }
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                // One that cannot be read vouches for nobody; the others still do.
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    let why = found.errors.first().map(|error| format!(": {error}"));
                    return Err(Error::Config(format!(
                        "this system names no certificate authorities to trust{}; install its package of them (`ca-certificates`), or set SSL_CERT_FILE",
                        why.unwrap_or_default()
                    )));
                }
            }
        }
        trusting(roots)
    }
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Config(format!("cannot set up TLS: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Authorities { file, .. } => f.debug_tuple("Authorities").field(file).finish(),
        }
    }
}

/// Why there is no encrypted connection. It will be the same the next time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Nobody who is trusted vouches for the certificate.
    #[error("no authority that is trusted here signed its certificate")]
    UnknownAuthority,
    /// The certificate is of another time.
    #[error("its certificate has expired, or this machine's clock is wrong")]
    Expired,
    /// The certificate is of a later time.
    #[error("its certificate is not valid yet, or this machine's clock is wrong")]
    NotYetValid,
    /// The certificate is another server's.
    #[error("its certificate is for {0}, and not for this address")]
    WrongName(String),
    /// Something answers, and not in TLS.
    #[error("what answers there does not speak TLS")]
    NotTls,
    /// Everything else, in the words of the library.
    #[error("{0}")]
    Other(String),
}

impl Distrust {
    /// What went wrong, if it is about encryption: found among the causes of an error.
    pub(crate) fn find(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(at) = next {
            if let Some(error) = at.downcast_ref::<rustls::Error>() {
                return Some(Self::of(error));
            }
            // An I/O error shows the cause of what it holds, and not what it holds.
            let held = at
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref);
            next = match held {
                Some(held) => Some(held),
                None => at.source(),
            };
        }
        None
    }

    fn of(error: &rustls::Error) -> Self {
        use CertificateError as Bad;
        match error {
            rustls::Error::InvalidCertificate(bad) => match bad {
                // A signature is bad where an authority was made anew under its old name.
                Bad::UnknownIssuer | Bad::BadSignature => Self::UnknownAuthority,
                Bad::Expired | Bad::ExpiredContext { .. } => Self::Expired,
                Bad::NotValidYet | Bad::NotValidYetContext { .. } => Self::NotYetValid,
                Bad::NotValidForName => Self::WrongName("another server".to_owned()),
                Bad::NotValidForNameContext { presented, .. } => Self::WrongName(names(presented)),
                other => Self::Other(other.to_string()),
            },
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            other => Self::Other(other.to_string()),
        }
    }
}

/// Names of a certificate that are shown at most; some have hundreds.
const NAMES_MAX: usize = 5;

/// The names of a certificate as rustls tells them, such as `DnsName("example.org")`.
fn names(presented: &[String]) -> String {
    let mut shown: Vec<String> = presented
        .iter()
        .take(NAMES_MAX)
        .map(|name| match name.split('"').nth(1) {
            Some(quoted) => format!("`{quoted}`"),
            None => format!("`{name}`"),
        })
        .collect();
    if presented.len() > NAMES_MAX {
        shown.push(format!("{} more", presented.len() - NAMES_MAX));
    }
    match shown.is_empty() {
        true => "no name".to_owned(),
        false => shown.join(", "),
    }
}
