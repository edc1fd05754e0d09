//! What state something is in: an icon, a word and a colour, so that none of them stands alone.

use maud::{Markup, html};
use mcpanel_domain::{
    agent::{Admission, Status as AgentStatus},
    pipeline::{StageStatus, Status as PipelineStatus},
    task::{Outcome, Status as TaskStatus},
};

use super::icon::Icon;

/// A badge. `tone` is the class that gives its colour.
pub fn badge(tone: &str, icon: Icon, word: &str) -> Markup {
    html! { span class={ "badge " (tone) } { (icon.draw()) (word) } }
}

/// The class that colours a word of state.
pub fn tone(word: &str) -> &'static str {
    match word {
        "assigned" => "t-assigned",
        "running" | "busy" => "t-running",
        "completed" | "active" => "t-good",
        "failed" | "error" | "timed_out" | "lease_lost" => "t-bad",
        "retry" | "suspect" | "released" => "t-warn",
        "cancelled" | "inactive" | "aborted" => "t-off",
        _ => "t-pending",
    }
}

/// The icon of a word of state.
pub fn icon(word: &str) -> Icon {
    match word {
        "assigned" => Icon::Assigned,
        "running" | "busy" => Icon::Running,
        "completed" | "active" => Icon::Completed,
        "failed" | "error" | "timed_out" | "lease_lost" => Icon::Failed,
        "retry" | "released" => Icon::Retry,
        "suspect" => Icon::Suspect,
        "cancelled" | "inactive" | "aborted" => Icon::Cancelled,
        _ => Icon::Pending,
    }
}

/// A badge of any word of state.
pub fn of(word: &str) -> Markup {
    badge(tone(word), icon(word), &word.replace('_', " "))
}

/// Where a task stands.
pub fn task(status: TaskStatus) -> Markup {
    of(status.as_str())
}

/// Where a pipeline stands.
pub fn pipeline(status: PipelineStatus) -> Markup {
    of(status.as_str())
}

/// Where a stage stands.
pub fn stage(status: StageStatus) -> Markup {
    of(status.as_str())
}

/// How an attempt ended.
pub fn outcome(outcome: Option<Outcome>) -> Markup {
    of(outcome.map_or("running", Outcome::as_str))
}

/// How an agent is.
pub fn agent(status: AgentStatus) -> Markup {
    of(status.as_str())
}

/// Whether an operator keeps work from an agent; nothing when not.
pub fn admission(admission: Admission) -> Markup {
    match admission {
        Admission::Open => html! {},
        Admission::Draining => badge("t-warn", Icon::Clock, "draining"),
        Admission::Disabled => badge("t-off", Icon::Cancelled, "disabled"),
    }
}
