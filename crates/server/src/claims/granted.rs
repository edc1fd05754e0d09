//! Leases that are granted and not delivered yet.

use mcpanel_control::{Claimed, Scope, TaskManager};
use tokio::runtime::Handle;

/// Granted leases. Dropped before [`Granted::delivered`], they go back to the queue.
pub(super) struct Granted {
    tasks: TaskManager,
    scope: Scope,
    leases: Vec<Claimed>,
}

impl Granted {
    pub(super) fn new(tasks: TaskManager, scope: Scope, leases: Vec<Claimed>) -> Self {
        Self {
            tasks,
            scope,
            leases,
        }
    }

    pub(super) fn leases(&self) -> &[Claimed] {
        &self.leases
    }

    /// The agent has them, as far as we can know.
    pub(super) fn delivered(mut self) {
        self.leases.clear();
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        if self.leases.is_empty() {
            return;
        }
        let (tasks, scope, leases) = (
            self.tasks.clone(),
            self.scope.clone(),
            std::mem::take(&mut self.leases),
        );
        // Without a runtime the process ends, and the leases with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { tasks.return_claimed(&scope, &leases).await });
        }
    }
}
