//! What can be asked of a task.

use super::{Progress, Proof, TaskError, new::Changes};
use crate::{AgentId, SessionId, TaskId, Timestamp};

/// A command. Times, random numbers and what other documents say come in as values.
#[derive(Debug, Clone)]
pub enum Command {
    /// Give it to an agent session: grants a lease.
    Assign {
        agent_id: AgentId,
        session: SessionId,
        nonce: u128,
        lease_ttl_ms: u64,
    },
    /// The holder began to run it.
    Start(Held),
    /// The holder tells how far it is.
    Report { held: Held, progress: Progress },
    /// The holder stored a file: nothing else about the task changes, but its revision does, so that no
    /// file can become durable after the lease has ended.
    Attach(Held),
    /// The holder is done.
    Complete(Held),
    /// The holder failed; `random` spreads the retry.
    Fail {
        held: Held,
        error: TaskError,
        random: u64,
    },
    /// The holder gives it back unharmed (a rejected delivery, an agent that shuts down).
    Release { held: Held, reason: String },
    /// The holder stopped because it was asked to. Where the wish was withdrawn meanwhile, the task
    /// goes back to the queue.
    ConfirmCancel(Held),
    /// The holder was replaced, signed off, or does not know of the delivery. The session is part of the fence: an
    /// assignment that was forgotten before it was written used up no attempt, so the next holder may have the same number.
    LoseLease {
        session: SessionId,
        attempt: u32,
        cause: LeaseLoss,
    },
    /// Somebody wants it stopped.
    Cancel { by: String, reason: Option<String> },
    /// A task that it waits for will never complete.
    CancelForDependency { dependency: TaskId },
    /// Somebody wants an ended one tried again, a waiting one tried at once, or one that was asked to stop to
    /// go on.
    Replay,
    /// Somebody wants it run by this agent, or by any.
    Delegate { target: Option<AgentId> },
    /// Somebody changes its settings.
    Update(Changes),
    /// Time has passed: see [`Task::next_due`](super::Task::next_due).
    Tick { alive_until: Timestamp },
}

/// A caller's claim to hold the task.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// What the caller shows.
    pub proof: Proof,
    /// Until when the session's heartbeats keep its leases; the epoch when the session is over.
    pub alive_until: Timestamp,
}

/// Why a lease ended without its holder's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseLoss {
    /// The agent registered anew.
    Superseded,
    /// The agent signed off.
    Unregistered,
    /// The agent's heartbeat does not name it: the delivery got lost.
    Undelivered,
}

impl LeaseLoss {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "the agent registered anew",
            Self::Unregistered => "the agent signed off",
            Self::Undelivered => "the agent does not hold it",
        }
    }
}
