//! What the realtime edge needs of the layers behind it.
//!
//! Bodies go to the [`Desk`] as the JSON text they came as: it checks them like any other body, and free-form JSON keeps
//! its numbers and the order of its names.

use async_trait::async_trait;
use mcpanel_api::{
    Namespace, Problem, TaskId, Timestamp,
    agent::{Agent, AgentRegistered, HeartbeatAnswer},
    event::Event,
    socket::TaskAnswer,
    task::Task,
};
use mcpanel_guard::Principal;
use tokio::sync::{oneshot, watch};

use crate::Figures;

/// An answer, or why there is none.
pub type Answer<T> = Result<T, Box<Problem>>;

/// A credential as a handshake shows it.
#[derive(Clone)]
pub enum Credential {
    /// A token, or an API key in a token's place.
    Bearer(String),
    /// An API key.
    Key(String),
}

/// Who connects.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The caller.
    pub principal: Principal,
    /// When the credential ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// Knows whose credentials are whose.
#[async_trait]
pub trait Identify: Send + Sync {
    /// Whose credential this is.
    async fn identify(&self, shown: &Credential) -> Answer<Identity>;

    /// Whether a caller of before may still call: its key was not revoked, its session not superseded.
    async fn still(&self, principal: &Principal) -> Answer<()>;

    /// The present time.
    fn now(&self) -> Timestamp;
}

/// Writes figures for machines that watch, where no other port of the process does.
pub trait Scrape: Send + Sync {
    /// The media type, and all figures with those of the sockets.
    fn write(&self, figures: &Figures) -> (&'static str, String);
}

/// A look at what happened.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Events of the namespace, oldest first.
    pub events: Vec<Event>,
    /// The number up to which all was looked at.
    pub scanned_to: u64,
    /// The newest number there is.
    pub last: u64,
    /// The oldest number that is kept.
    pub first_kept: u64,
}

/// Tells what happened, by number.
#[async_trait]
pub trait Follow: Send + Sync {
    /// Events of a namespace after a number, looking at no more than `limit`.
    async fn read(&self, namespace: &Namespace, after: u64, limit: usize) -> Answer<Page>;

    /// The newest number, as it changes.
    fn watch(&self) -> watch::Receiver<u64>;

    /// Whether it hears at present of what happens: a store of the same process always does.
    fn is_live(&self) -> bool {
        true
    }
}

/// An agent that signed on over a socket.
#[derive(Debug)]
pub struct SignedOn {
    /// What it is told.
    pub answer: AgentRegistered,
    /// Who it is from now on.
    pub principal: Principal,
}

/// What an agent says about a task it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It began.
    Start,
    /// How far it is.
    Progress,
    /// It is done.
    Complete,
    /// The attempt failed.
    Fail,
    /// It gives the task back.
    Release,
    /// It stopped because it was asked to.
    ConfirmCancel,
    /// Lines for the task's log.
    Log,
}

/// What agents call. Each call checks anew that the caller may still call.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Signs an agent on: opens a session.
    async fn register(&self, caller: &Principal, body: &str) -> Answer<SignedOn>;

    /// The agent that this caller is, in its present session.
    async fn attach(&self, agent: &Principal) -> Answer<Agent>;

    /// The agent is alive.
    async fn heartbeat(&self, agent: &Principal, body: &str) -> Answer<HeartbeatAnswer>;

    /// Something about a task in hand.
    async fn hold(&self, caller: &Principal, hold: Hold, body: &str) -> Answer<TaskAnswer>;

    /// Takes up to `max` tasks for the agent, each with its lease; none when there is nothing.
    async fn claim(&self, agent: &Principal, max: u32) -> Answer<Vec<Task>>;

    /// Fires when a claim that found nothing may find something. Ask for it before the last look.
    async fn work(&self, agent: &Principal) -> Answer<oneshot::Receiver<()>>;

    /// Gives back a task that was claimed and not accepted.
    async fn give_back(&self, agent: &Principal, task_id: &TaskId, lease: &str, reason: &str);
}
