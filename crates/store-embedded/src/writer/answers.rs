//! Telling callers the outcome.

use mcpanel_store::{Receipt, Result};

use super::Job;
use crate::{limits::DIRECT_ANSWERS_MAX, shared::Shared};

/// Outcomes on their way to their callers. They are told when this is dropped, wherever that is, so that
/// nobody can be forgotten.
pub struct Answers(Vec<(Job, Result<Receipt>)>);

impl Answers {
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    pub fn push(&mut self, job: Job, outcome: Result<Receipt>) {
        self.0.push((job, outcome));
    }

    /// Tells them. Many are told from a thread of the callers' runtime: to wake a task from outside costs
    /// a lock each, and the writer has better things to do.
    pub fn give(self, shared: &Shared) {
        match shared.runtime.get() {
            Some(runtime) if self.0.len() > DIRECT_ANSWERS_MAX => {
                // A runtime that is shutting down drops the task, and so tells them too.
                runtime.spawn(async move { drop(self) });
            }
            _ => drop(self),
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for (job, outcome) in self.0.drain(..) {
            // A caller that went away does not hear it.
            let _ = job.reply.send(outcome);
        }
    }
}
