//! What a handler is given, and what it may answer.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_api::{
    ErrorType, Name, Payload,
    task::{LogLevel, NewTaskError, Task},
};
use tokio::{sync::watch, task::JoinError};

use super::{
    held::{Held, Standing},
    reporter::Pending,
};
use crate::Client;

/// A task in hand.
#[derive(Clone)]
pub struct Assignment {
    pub(super) task: Arc<Task>,
    pub(super) held: Arc<Held>,
    pub(super) client: Client,
    pub(super) pending: Arc<Pending>,
    pub(super) standing: watch::Receiver<Standing>,
}

impl Assignment {
    /// The task as it was claimed.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The proof of holding it, for calls of the handler's own.
    pub fn lease(&self) -> &str {
        &self.held.lease
    }

    /// A client that calls as this agent.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How the lease stands.
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Whether the handler should stop at the next opportunity, whatever the reason.
    pub fn is_cancelled(&self) -> bool {
        self.standing() != Standing::Working
    }

    /// Waits until the handler should stop.
    pub async fn cancelled(&self) {
        let mut standing = self.standing.clone();
        let told = standing
            .wait_for(|standing| *standing != Standing::Working)
            .await
            .is_ok();
        if !told {
            // The sender is gone with the table: nobody will ever ask to stop.
            std::future::pending::<()>().await;
        }
    }

    /// Tells how far the task is, 0 to 100. Never waits; what comes too fast is joined, the latest counts.
    pub fn progress(&self, percent: f64, message: &str, counters: BTreeMap<Name, u64>) {
        self.pending.progress(percent, message, counters);
    }

    /// Adds a line to the task's log. Never waits; lines beyond what can be sent are counted and left out.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.pending.log(level, message);
    }
}

/// Why a handler has no result. After a request to stop, whatever it says is understood as having stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The class, which decides whether the task is tried again.
    pub kind: ErrorType,
    /// What went wrong, for people.
    pub message: String,
    /// More of it, for programs.
    pub details: Option<Payload>,
}

impl Failure {
    /// A failure of this class.
    pub fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: None,
        }
    }

    /// A handler that did not end by itself.
    pub(super) fn of_join(error: &JoinError) -> Self {
        let what = if error.is_panic() {
            "panicked"
        } else {
            "was aborted"
        };
        Self::new(ErrorType::System, format!("the handler {what}"))
    }
}

impl From<Failure> for NewTaskError {
    fn from(failure: Failure) -> Self {
        Self {
            kind: failure.kind,
            message: failure.message,
            details: failure.details,
        }
    }
}
