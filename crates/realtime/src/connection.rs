//! One socket: who is at its other end, what it may still send, and how it ends.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcpanel_api::{AgentId, Timestamp, event::Event};
use mcpanel_guard::Principal;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use socketioxide::{SendError, SocketError, extract::SocketRef};
use tokio::time::{Instant, sleep};

use crate::{
    agents::Seat,
    end::{self, End},
    figures::Figures,
    flood::Flood,
    hub::{Channel, LineError, MemberId, Outlet, RESYNC},
    lanes::{Call, Lanes},
    ports::Identity,
    server::Inner,
};

/// How often a farewell is tried on a line that is full.
const FAREWELL_RETRY: Duration = Duration::from_millis(100);

/// One socket with an accepted handshake.
pub(crate) struct Connection {
    /// Its number within this process.
    pub(crate) id: MemberId,
    /// Who is at its other end.
    pub(crate) identity: Identity,
    pub(crate) flood: Mutex<Flood>,
    pub(crate) lanes: Mutex<Lanes<Call>>,
    /// The agent that lives on it.
    pub(crate) seat: Mutex<Option<Arc<Seat>>>,
    pub(crate) opened: Instant,
    pub(crate) figures: Arc<Figures>,
    socket: SocketRef,
    channel: Mutex<Option<Arc<Channel>>>,
    ended: AtomicBool,
    /// How long a farewell may wait for the line.
    patience: Duration,
    server: Weak<Inner>,
}

impl Connection {
    pub(crate) fn new(
        id: MemberId,
        identity: Identity,
        socket: SocketRef,
        server: &Arc<Inner>,
    ) -> Self {
        let now = Instant::now();
        Self {
            id,
            identity,
            flood: Mutex::new(Flood::new(server.settings.calls, now)),
            lanes: Mutex::default(),
            seat: Mutex::default(),
            opened: now,
            figures: server.figures.clone(),
            socket,
            channel: Mutex::default(),
            ended: AtomicBool::new(false),
            patience: server.settings.patience.farewell,
            server: Arc::downgrade(server),
        }
    }

    /// The caller.
    pub(crate) fn caller(&self) -> &Principal {
        &self.identity.principal
    }

    /// The agent that lives on this socket, or else who connected.
    pub(crate) fn acting(&self) -> Principal {
        match &*self.seat.lock() {
            Some(seat) => seat.agent().clone(),
            None => self.caller().clone(),
        }
    }

    /// Whether this agent lives on this socket.
    pub(crate) fn lives_here(&self, agent: &AgentId) -> bool {
        let seat = self.seat.lock();
        seat.as_ref().is_some_and(|seat| seat.agent_id() == agent)
    }

    /// Where it is told what happens.
    pub(crate) fn channel(&self) -> Option<Arc<Channel>> {
        self.channel.lock().clone()
    }

    /// It entered its namespace.
    pub(crate) fn entered(&self, channel: Arc<Channel>) {
        *self.channel.lock() = Some(channel);
    }

    /// Whether its credential ran out.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.identity.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether somebody is at its other end.
    pub(crate) fn is_open(&self) -> bool {
        self.socket.connected()
    }

    /// Whether its end has begun.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The socket, to ask for an acknowledgement.
    pub(crate) fn socket(&self) -> &SocketRef {
        &self.socket
    }

    /// Sends an event.
    pub(crate) fn send<T: Serialize>(&self, event: &str, body: &T) -> Result<(), LineError> {
        let body = to_raw_value(body).map_err(|_| LineError::Closed)?;
        self.tell(event, &body)
    }

    /// Takes part in nothing any more.
    pub(crate) fn leave(&self) {
        self.ended.store(true, Ordering::Release);
        if let Some(channel) = self.channel.lock().take() {
            channel.leave(self.id);
        }
        if let Some(seat) = self.seat.lock().take() {
            seat.close();
        }
    }

    /// Says why, and ends it.
    pub(crate) fn end(self: &Arc<Self>, why: End) {
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::debug!(socket = self.id, ?why, "ending a socket");
        self.figures.ended(why);
        self.leave();
        let connection = self.clone();
        tokio::spawn(async move { connection.farewell(why).await });
    }

    /// A full line is waited for. When it stays full, the next ping fails and ends it without a word.
    async fn farewell(&self, why: End) {
        let until = Instant::now() + self.patience;
        let mut is_said = false;
        while Instant::now() < until {
            if !is_said {
                is_said = match self.send(end::EVENT, &why.reason()) {
                    Ok(()) => true,
                    Err(LineError::Full) => false,
                    Err(LineError::Closed) => return,
                };
            }
            if is_said && self.socket.clone().disconnect().is_ok() {
                return;
            }
            sleep(FAREWELL_RETRY).await;
        }
    }

    /// What an event means that concerns this socket's caller or agent.
    async fn consider(self: Arc<Self>, event: Event) {
        if event.kind == "key:revoked" {
            return self.end(End::Revoked);
        }
        let seat = self.seat.lock().clone();
        if event.kind == "task:cancel_requested" {
            if let Some(seat) = seat {
                seat.tell_cancel(&self, event);
            }
            return;
        }
        let principal = self.acting();
        // The agent of a seat, and not whoever connected, when that one came without being the agent.
        if principal.agent().is_none() {
            return;
        }
        if event.kind == "agent:unregistered" {
            return self.end(End::Unregistered);
        }
        let Some(server) = self.server.upgrade() else {
            return;
        };
        if let Err(problem) = server.parts.identify.still(&principal).await
            && let Some(end) = End::of(&problem, &principal)
        {
            self.end(end);
        }
    }
}

impl Outlet for SocketLine {
    fn tell(&self, event: &str, body: &RawValue) -> Result<(), LineError> {
        self.0
            .upgrade()
            .map_or(Err(LineError::Closed), |connection| {
                connection.tell(event, body)
            })
    }

    fn concerns(&self, event: &Event) {
        if let Some(connection) = self.0.upgrade() {
            tokio::spawn(connection.consider(event.clone()));
        }
    }

    fn lost(&self, why: LineError) {
        if let Some(connection) = self.0.upgrade()
            && why == LineError::Full
        {
            connection.end(End::SlowReader);
        }
    }
}

/// The line to a socket, as the hub holds it.
pub(crate) struct SocketLine(pub(crate) Weak<Connection>);

impl Connection {
    fn tell(&self, event: &str, body: &RawValue) -> Result<(), LineError> {
        self.socket.emit(event, body).map_err(line_error)?;
        match event {
            RESYNC => self.figures.resyncs.one_more(),
            _ => self.figures.events_told.one_more(),
        }
        Ok(())
    }
}

/// What a failed send means.
pub(crate) fn line_error(error: SendError) -> LineError {
    match error {
        SendError::Socket(SocketError::InternalChannelFull) => LineError::Full,
        SendError::Socket(SocketError::Closed) | SendError::Serialize(_) => LineError::Closed,
    }
}
