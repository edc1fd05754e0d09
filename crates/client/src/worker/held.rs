//! The leases in hand, and how each of them stands.

use std::{collections::HashMap, sync::Arc};

use mcpanel_api::{TaskId, task::Task};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{End, session::Session};

/// How a lease in hand stands. It only ever gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Work on.
    Working,
    /// This agent shuts down: stop, and the task is given back.
    Stopping,
    /// Somebody wants the task stopped: stop, and that is confirmed.
    CancelRequested,
    /// The lease holds the task no more: stop, nothing is reported.
    Lost,
}

/// A lease in hand.
pub(super) struct Held {
    pub(super) task_id: TaskId,
    pub(super) lease: String,
    standing: watch::Sender<Standing>,
}

impl Held {
    pub(super) fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    pub(super) fn tell(&self, news: Standing) {
        self.standing.send_if_modified(|standing| {
            let is_worse = news > *standing;
            if is_worse {
                *standing = news;
            }
            is_worse
        });
    }
}

/// What the claim loop, the heart and the handlers share.
pub(super) struct Shared {
    pub(super) session: Session,
    held: Mutex<HashMap<TaskId, Arc<Held>>>,
    end: watch::Sender<Option<End>>,
}

impl Shared {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            held: Mutex::default(),
            end: watch::Sender::new(None),
        }
    }

    /// Takes a claimed task into the table. An older lease of the same task is thereby lost.
    pub(super) fn hold(&self, task: &Task) -> Option<Arc<Held>> {
        let held = Arc::new(Held {
            task_id: task.task_id.clone(),
            lease: task.lease.clone()?,
            standing: watch::Sender::new(Standing::Working),
        });
        let before = self.held.lock().insert(held.task_id.clone(), held.clone());
        if let Some(before) = before {
            before.tell(Standing::Lost);
        }
        Some(held)
    }

    /// Takes a lease out of the table.
    pub(super) fn let_go(&self, held: &Arc<Held>) {
        let mut table = self.held.lock();
        if table
            .get(&held.task_id)
            .is_some_and(|known| Arc::ptr_eq(known, held))
        {
            table.remove(&held.task_id);
        }
    }

    /// All leases in hand.
    pub(super) fn all(&self) -> Vec<Arc<Held>> {
        self.held.lock().values().cloned().collect()
    }

    pub(super) fn tell_all(&self, news: Standing) {
        for held in self.all() {
            held.tell(news);
        }
    }

    /// Says that the session ended.
    pub(super) fn end(&self, end: End) {
        self.end.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(end);
            is_first
        });
    }

    /// Waits for the end of the session.
    pub(super) async fn ended(&self) -> End {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await.map(|end| end.clone()) {
            Ok(Some(end)) => end,
            // The sender lives as long as `self`.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}
