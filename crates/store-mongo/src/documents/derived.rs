//! Fields of a task that follow from the others and from the tasks it waits for.
//!
//! They make timers, claims and lists a matter of an index. MongoDB works out every index's key of a document
//! whenever a field of any index changes, so few indexes answer many questions: [`tags`](super::tags) those of lists
//! and dependencies, [`phase`](super::phase) those of claims, leases and sweeps.

use mcpanel_domain::task::Task;

/// `capabilities` joined by commas, `@` and the target where there is one: who can serve it.
pub const CLASS: &str = "queue_class";
/// Words under which lists find it, and the tasks that it waits for.
pub const TAGS: &str = "tags";
/// Where it stands between creation and end, only while it is live.
pub const PHASE: &str = "phase";
/// From when its state allows that it is given out.
pub const READY_FROM: &str = "ready_from";
/// Its deadline, or the end of time: the order within a class.
pub const READY_BY: &str = "ready_by";
/// When it next has something to do of itself.
pub const DUE: &str = "due_at";
/// Dependencies that are not completed, only while it is live and has some.
pub const WAITING_ON: &str = "waiting_on";
/// Those of them that will not complete of themselves.
pub const DOOMED_BY: &str = "doomed_by";
/// How often a task began to wait for this one: touched so that its end cannot pass unnoticed.
pub const DEPENDENTS: &str = "dependents";
/// How many lines its log had so far.
pub const LOG_LINES: &str = "log_lines";

/// Which agents can serve a task, as one text.
pub fn class_of(task: &Task) -> String {
    let mut class = String::with_capacity(32);
    for (at, capability) in task.capabilities.iter().enumerate() {
        if at > 0 {
            class.push(',');
        }
        class.push_str(capability.as_str());
    }
    if let Some(target) = &task.target {
        class.push('@');
        class.push_str(target.as_str());
    }
    class
}
