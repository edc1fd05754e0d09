//! The realtime server: its sockets, and its life from start to stop.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use mcpanel_api::Problem;
use parking_lot::Mutex;
use socketioxide::{
    ParserConfig, SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
    socket::Sid,
};
use tokio::{net::TcpListener, sync::watch, time::Instant};

use crate::{
    agents::Seats,
    connect::{self, Auth},
    connection::Connection,
    end::End,
    figures::Figures,
    flood::Rate,
    gate,
    hub::{Hub, MemberId},
    limits::{
        BUFFERED_MESSAGES_MAX, HANDSHAKE_MS_MAX, HANDSHAKES_PER_S_MAX, MESSAGE_BYTES_MAX,
        PING_INTERVAL_MS, PING_TIMEOUT_MS, READ_BUFFER_BYTES, SWEEP_INTERVAL_MS, UPGRADE_MS_MAX,
    },
    listen,
    ports::{Desk, Follow, Identify, Scrape},
    refusal::Refusal,
    settings::Settings,
};

/// What a server is made of.
#[derive(Clone)]
pub struct Parts {
    /// Whose credentials are whose.
    pub identify: Arc<dyn Identify>,
    /// What happens.
    pub follow: Arc<dyn Follow>,
    /// What agents call; without one, agents are sent elsewhere.
    pub desk: Option<Arc<dyn Desk>>,
    /// Writes the figures that are asked for at this port; without one they are asked for elsewhere.
    pub scrape: Option<Arc<dyn Scrape>>,
}

/// The server; cheap to clone.
#[derive(Clone)]
pub struct Realtime {
    inner: Arc<Inner>,
    io: SocketIo,
    router: Router,
}

/// What the parts of this crate share.
pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) settings: Settings,
    pub(crate) hub: Arc<Hub>,
    pub(crate) seats: Seats,
    pub(crate) handshakes: Mutex<Rate>,
    pub(crate) figures: Arc<Figures>,
    connections: Mutex<HashMap<Sid, Arc<Connection>>>,
    ids: AtomicU64,
}

impl Realtime {
    /// A server that nobody is connected to. Must be made within a runtime.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let inner = Arc::new(Inner {
            hub: Hub::new(parts.follow.clone(), settings.patience.stuck),
            parts,
            seats: Seats::default(),
            handshakes: Mutex::new(Rate::new(HANDSHAKES_PER_S_MAX, Instant::now())),
            figures: Arc::default(),
            connections: Mutex::default(),
            ids: AtomicU64::new(0),
            settings,
        });
        let (layer, io) = SocketIo::builder()
            .max_payload(MESSAGE_BYTES_MAX as u64)
            .ws_max_message_size(MESSAGE_BYTES_MAX)
            .ws_max_frame_size(MESSAGE_BYTES_MAX)
            .ws_read_buffer_size(READ_BUFFER_BYTES)
            .max_buffer_size(BUFFERED_MESSAGES_MAX)
            .ping_interval(Duration::from_millis(PING_INTERVAL_MS))
            .ping_timeout(Duration::from_millis(PING_TIMEOUT_MS))
            .upgrade_timeout(Duration::from_millis(UPGRADE_MS_MAX))
            .connect_timeout(Duration::from_millis(HANDSHAKE_MS_MAX))
            .ack_timeout(Duration::from_millis(inner.settings.delivery_ms))
            .with_parser(
                ParserConfig::common()
                    .max_incoming_binaries(0)
                    .max_incoming_binary_buf_size(0),
            )
            .build_layer();
        let weak = Arc::downgrade(&inner);
        let let_in = async move |socket: SocketRef, auth: TryData<Auth>| match weak.upgrade() {
            Some(inner) => connect::let_in(inner, socket, auth).await,
            None => Ok(()),
        };
        io.ns("/", ConnectHandler::with(async || (), let_in));
        let router = gate::router(inner.clone(), layer);
        Self { inner, io, router }
    }

    /// The HTTP side, for whoever serves it otherwise than with [`Realtime::serve`].
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// How many sockets there are.
    pub fn sockets(&self) -> usize {
        self.inner.sockets()
    }

    /// What happened on them so far; it goes on counting.
    pub fn figures(&self) -> Arc<Figures> {
        self.inner.figures.clone()
    }

    /// Serves until `stop` becomes true, then says farewell. Tells how many connections had to be cut off.
    pub async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) -> usize {
        let sweeper = tokio::spawn(sweep(Arc::downgrade(&self.inner)));
        let (close, closing) = watch::channel(false);
        let listening = listen::run(listener, self.router.clone(), &self.inner.settings, closing);
        let connections = tokio::spawn(listening);
        // Nobody there to stop it: it stops with the process.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        sweeper.abort();
        self.stop().await;
        close.send_replace(true);
        connections.await.unwrap_or(0)
    }

    /// Says farewell to all sockets and closes them.
    pub async fn stop(&self) {
        for connection in self.inner.all() {
            connection.end(End::Stopping);
        }
        let until = Instant::now() + Duration::from_millis(crate::limits::STOP_MS_MAX / 2);
        while self.inner.sockets() > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Lines that are stuck hold this up; they are cut with their connections.
        let _ = tokio::time::timeout(
            Duration::from_millis(crate::limits::STOP_MS_MAX / 2),
            self.io.close(),
        )
        .await;
    }
}

impl Inner {
    pub(crate) fn next_id(&self) -> MemberId {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn sockets(&self) -> usize {
        self.connections.lock().len()
    }

    pub(crate) fn add(&self, sid: Sid, connection: Arc<Connection>) -> Result<(), Box<Problem>> {
        let mut connections = self.connections.lock();
        if connections.len() >= self.settings.sockets_max {
            return Err(Refusal::Overloaded.because(format!(
                "{} sockets are open already; try again later",
                self.settings.sockets_max
            )));
        }
        connections.insert(sid, connection);
        self.figures.opened.one_more();
        Ok(())
    }

    pub(crate) fn connection(&self, sid: Sid) -> Option<Arc<Connection>> {
        self.connections.lock().get(&sid).cloned()
    }

    pub(crate) fn remove(&self, sid: Sid) -> Option<Arc<Connection>> {
        let removed = self.connections.lock().remove(&sid)?;
        self.figures.closed.one_more();
        Some(removed)
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        self.connections.lock().values().cloned().collect()
    }

    /// Ends what ran out, and forgets what went before it was heard of.
    fn sweep(&self) {
        let now = self.parts.identify.now();
        let handshake = Duration::from_millis(HANDSHAKE_MS_MAX);
        let mut gone = Vec::new();
        for (sid, connection) in self.connections.lock().iter() {
            if connection.is_expired(now) {
                connection.end(End::Expired);
            }
            if !connection.is_open() && connection.opened.elapsed() > handshake {
                gone.push(*sid);
            }
        }
        for connection in gone.into_iter().filter_map(|sid| self.remove(sid)) {
            connection.leave();
        }
    }
}

async fn sweep(inner: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(Duration::from_millis(SWEEP_INTERVAL_MS)).await;
        match inner.upgrade() {
            Some(inner) => inner.sweep(),
            None => return,
        }
    }
}
