//! An agent's life: sign on, heartbeat, claim, work, report, leave.
//!
//! ```text
//!            ┌────────── heart: a thread of its own ──────────┐
//!            │ names what is held; hears what to stop, what is │
//!            │ lost, and that a newer session took over        │
//!            └──────────────────────┬──────────────────────────┘
//!  claim ──▶ table of held leases ◀─┘
//!    ▲             │ one assignment each, up to `concurrency`
//!    │             ▼
//!    └── slot ◀─ handler ─▶ complete · fail · confirm the cancellation · release
//! ```
//!
//! - The heart beats on its own thread and its own connection: work that blocks the runtime cannot cost a lease.
//! - Progress and log lines are gathered and sent twice a second at most; a handler never waits for them.
//! - A server that is away is waited for: handlers go on, reports are repeated for as long as a lease lasts.
//! - What is lost is lost: the handler is told to stop, and its result is not reported.
//! - On shutdown the claiming stops first and the heart last. What is unfinished at the deadline is given back, which
//!   uses up no retry.

mod assignment;
mod heart;
mod held;
mod perform;
mod reporter;
mod session;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use mcpanel_api::{
    Name, Payload,
    agent::{Claim, RegisterAgent},
    task::Task,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

pub use assignment::{Assignment, Failure};
pub use held::Standing;

use crate::{Client, Error, Result, backoff::Backoff};
use held::Shared;
use session::Session;

/// How long a claim waits for work: rarely enough that an idle agent costs nothing.
const CLAIM_WAIT_MS: u64 = 10_000;

/// Tasks taken by one claim at most.
const CLAIM_TASKS_MAX: usize = 100;

/// How long handlers get to notice that they should stop, before their work is given back without them.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How long to wait after the server said that this agent cannot take work now (draining, suspect).
const UNWILLING_PAUSE: Duration = Duration::from_secs(1);

/// What a handler answers: the result of the task, or why there is none.
pub type Outcome = std::result::Result<Payload, Failure>;

pub(crate) type Handler = Arc<dyn Fn(Assignment) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// Why a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was told to.
    Stopped,
    /// Another program signed on under the same id.
    Superseded,
    /// The server does not know the agent any more: somebody signed it off, or the server begins with other data.
    SignedOff,
    /// The server takes the agent's token no more: its secrets are others, or the credential behind it ended.
    Refused {
        /// What the server says.
        why: String,
    },
}

/// An agent that is about to sign on.
pub struct Worker {
    client: Client,
    registration: RegisterAgent,
    handlers: HashMap<Name, Handler>,
    drain: Duration,
    return_when_superseded: bool,
    sign_off: bool,
}

impl Worker {
    /// An agent with this registration, which can do nothing yet.
    pub fn new(client: Client, registration: RegisterAgent) -> Self {
        Self {
            client,
            registration,
            handlers: HashMap::new(),
            drain: Duration::ZERO,
            return_when_superseded: false,
            sign_off: false,
        }
    }

    /// What to do with tasks of this type.
    #[must_use]
    pub fn on<F, W>(mut self, task_type: Name, handler: F) -> Self
    where
        F: Fn(Assignment) -> W + Send + Sync + 'static,
        W: Future<Output = Outcome> + Send + 'static,
    {
        let boxed: Handler = Arc::new(move |assignment| Box::pin(handler(assignment)));
        self.handlers.insert(task_type, boxed);
        self
    }

    /// The same for a handler that blocks; it runs on a thread where that is allowed.
    #[must_use]
    pub fn on_blocking<F>(self, task_type: Name, handler: F) -> Self
    where
        F: Fn(&Assignment) -> Outcome + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.on(task_type, move |assignment| {
            let handler = handler.clone();
            async move {
                tokio::task::spawn_blocking(move || handler(&assignment))
                    .await
                    .unwrap_or_else(|error| Err(Failure::of_join(&error)))
            }
        })
    }

    /// How long work in hand may go on after the shutdown; none when not said.
    #[must_use]
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Sign on again when another program took the id over. Two that do so fight for ever: say it of one at most.
    #[must_use]
    pub fn return_when_superseded(mut self) -> Self {
        self.return_when_superseded = true;
        self
    }

    /// Sign off at the end, so that the agent is forgotten and whatever it still holds is free at once.
    #[must_use]
    pub fn sign_off(mut self) -> Self {
        self.sign_off = true;
        self
    }

    /// Signs on and works until `shutdown`, or until somebody else ends it. Fails when it cannot sign on.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<End> {
        tokio::pin!(shutdown);
        loop {
            let session = Session::open(&self.client, &self.registration).await?;
            let shared = Arc::new(Shared::new(session));
            let heart = heart::start(shared.clone())?;
            let mut tasks = JoinSet::new();
            let end = tokio::select! {
                () = &mut shutdown => Some(End::Stopped),
                end = shared.ended() => Some(end),
                () = self.claim(&shared, &mut tasks) => None,
            };
            self.wind_down(&shared, &mut tasks, end.as_ref()).await;
            heart.stop().await;
            match end {
                None => {}
                Some(End::Superseded) if self.return_when_superseded => {}
                Some(end) => {
                    if end == End::Stopped && self.sign_off {
                        shared.session.sign_off().await;
                    }
                    return Ok(end);
                }
            }
        }
    }

    /// Claims and hands out, until the session is old enough to need another.
    async fn claim(&self, shared: &Arc<Shared>, tasks: &mut JoinSet<()>) {
        let session = &shared.session;
        let slots = Arc::new(Semaphore::new(session.concurrency));
        let mut backoff = Backoff::endless();
        while !session.is_old() {
            while tasks.try_join_next().is_some() {}
            let Ok(first) = slots.clone().acquire_owned().await else {
                return;
            };
            let max = CLAIM_TASKS_MAX.min(slots.available_permits() + 1);
            let claim = Claim {
                max: u32::try_from(max).ok(),
                wait_ms: Some(CLAIM_WAIT_MS),
            };
            match session.client.claim(&session.agent_id, &claim).await {
                Ok(claimed) => {
                    backoff.reset();
                    let mut first = Some(first);
                    for task in claimed.tasks {
                        let slot = first
                            .take()
                            .or_else(|| slots.clone().try_acquire_owned().ok());
                        self.begin(shared, tasks, task, slot);
                    }
                }
                Err(error) => {
                    drop(first);
                    pause_after(shared, &error, &mut backoff).await;
                }
            }
        }
    }

    fn begin(
        &self,
        shared: &Arc<Shared>,
        tasks: &mut JoinSet<()>,
        task: Task,
        slot: Option<OwnedSemaphorePermit>,
    ) {
        let handler = self.handlers.get(&task.task_type).cloned();
        let Some(held) = shared.hold(&task) else {
            tracing::warn!(task.id = %task.task_id, "a claimed task came without a lease");
            return;
        };
        let shared = shared.clone();
        tasks.spawn(async move {
            perform::to_the_end(&shared, &held, task, handler).await;
            shared.let_go(&held);
            drop(slot);
        });
    }

    /// Lets work in hand end, then tells it to stop, then gives it back.
    async fn wind_down(&self, shared: &Arc<Shared>, tasks: &mut JoinSet<()>, end: Option<&End>) {
        match end {
            // A session that is only renewed has all the time its work needs: claiming has stopped.
            None => while tasks.join_next().await.is_some() {},
            Some(End::Stopped) => {
                let drained = tokio::time::timeout(self.drain, all(tasks)).await;
                if drained.is_err() {
                    shared.tell_all(Standing::Stopping);
                    let stopped = tokio::time::timeout(STOP_GRACE, all(tasks)).await;
                    if stopped.is_err() {
                        perform::give_back_all(shared).await;
                    }
                }
            }
            Some(End::Superseded | End::SignedOff | End::Refused { .. }) => {
                shared.tell_all(Standing::Lost);
                if tokio::time::timeout(STOP_GRACE, all(tasks)).await.is_err() {
                    tracing::warn!("handlers of a lost session do not stop");
                }
            }
        }
        // Their work is not theirs any more; a blocking handler goes on until it looks.
        tasks.detach_all();
    }
}

async fn all(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

async fn pause_after(shared: &Shared, error: &Error, backoff: &mut Backoff) {
    if let Some(end) = session::ended_by(error) {
        shared.end(end);
        // Whoever waits for the end takes over; this claim loop is dropped.
        return std::future::pending().await;
    }
    let pause = match error.code() {
        Some("agent_inactive") => UNWILLING_PAUSE,
        _ => backoff.pause(None).unwrap_or(UNWILLING_PAUSE),
    };
    tracing::debug!(error = %error.chain(), ?pause, "a claim failed");
    tokio::time::sleep(pause).await;
}
