//! Encryption for tests.
//!
//! An [`Authority`] is made on the spot and trusted by nobody. A [`Front`] listens on the loopback address with a
//! certificate of it, ends TLS, and passes the bytes on to a plain server: what a reverse proxy does in earnest.

use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// Longest wait for the plain server behind a front.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whatever went wrong; tests only show it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Somebody who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one of this name, which nobody trusts yet.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut about = CertificateParams::new(Vec::new())?;
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        about.distinguished_name.push(DnType::CommonName, name);
        Ok(Self(CertifiedIssuer::self_signed(
            about,
            KeyPair::generate()?,
        )?))
    }

    /// Its own certificate as PEM: what is trusted by whoever trusts it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server of this name or address.
    pub fn certificate(&self, name: &str) -> Result<Certificate, Error> {
        self.sign(CertificateParams::new(vec![name.to_owned()])?)
    }

    /// The same, and it ended long ago.
    pub fn expired_certificate(&self, name: &str) -> Result<Certificate, Error> {
        let mut about = CertificateParams::new(vec![name.to_owned()])?;
        about.not_before = date_time_ymd(2001, 1, 1);
        about.not_after = date_time_ymd(2002, 1, 1);
        self.sign(about)
    }

    fn sign(&self, about: CertificateParams) -> Result<Certificate, Error> {
        let key = KeyPair::generate()?;
        let signed = about.signed_by(&key, &self.0)?;
        Ok(Certificate {
            chain: vec![signed.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der())?,
        })
    }
}

/// What a server proves itself with.
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// A listener that ends TLS. It runs on a thread of its own and ends with its value.
pub struct Front {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Front {
    /// Listens on a free port of the loopback address before the plain server at `behind`.
    pub fn start(certificate: Certificate, behind: SocketAddr) -> Result<Self, Error> {
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificate.chain, certificate.key)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    // A front that cannot listen shows in the test as a server that is not there.
                    _ = listen(listener, acceptor, behind) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends with the channel; a panic there is told where it happened.
            let _ = thread.join();
        }
    }
}

async fn listen(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    behind: SocketAddr,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Whoever does not trust the certificate, or hangs up, is the test's to notice.
            let _ = pass(stream, acceptor, behind).await;
        });
    }
}

async fn pass(stream: TcpStream, acceptor: TlsAcceptor, behind: SocketAddr) -> io::Result<()> {
    let mut front = acceptor.accept(stream).await?;
    let mut back = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(behind)).await??;
    copy_bidirectional(&mut front, &mut back).await.map(|_| ())
}
