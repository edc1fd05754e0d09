//! What waits, and why tasks failed.

use maud::{Markup, html};
use mcpanel_control::Reason;
use mcpanel_domain::{Name, Timestamp};
use mcpanel_store::query::Queue;

use super::look::Past;
use crate::ui::{list::Query, parts, text};

/// Reasons of failures that the overview shows.
const REASONS_SHOWN: usize = 6;

/// Types of tasks that the overview shows the queues of.
const QUEUES_SHOWN: usize = 8;

/// What waits, by type; what has waited longest first. Types that no agent offers are marked.
pub fn queues(past: &Past, unoffered: &[Name], now: Timestamp) -> Markup {
    html! {
        section.card aria-labelledby="queues" {
            (parts::section("queues", "Queues by type", html! { a href="/tasks?status=pending" { "All that waits" } }))
            @if past.queues.is_empty() { (parts::empty("Nothing waits and nothing runs", html! { "Types show here while they have tasks." })) }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Table of queues" { table.queues {
                    thead { tr { th scope="col" { "Type" } th.number scope="col" { "Waiting" } th.number scope="col" { "Running" } th.number scope="col" { "Oldest waits" } } }
                    tbody { @for queue in past.queues.iter().take(QUEUES_SHOWN) { tr {
                        td { a href=(of_type(queue).with("status", "pending").on("/tasks")) { (queue.task_type) }
                            @if unoffered.contains(&queue.task_type) { div.under { span.t-warn { "no agent that is there offers it" } " · " a href="/agents" { "agents" } } }
                        }
                        td.number { (text::count(queue.waiting)) }
                        td.number { a href=(of_type(queue).with("status", "assigned").with("status", "running").on("/tasks")) { (text::count(queue.running)) } }
                        td.number { @if let Some(oldest) = queue.oldest { (parts::since(oldest, now)) } @else { (parts::none("nothing waits")) } }
                    } } }
                } }
                @if past.queues.len() > QUEUES_SHOWN { p.muted { "and " (past.queues.len() - QUEUES_SHOWN) " more types" } }
            }
        }
    }
}

fn of_type(queue: &Queue) -> Query {
    Query::default().with("type", queue.task_type.as_str())
}

/// Why tasks failed, the same reasons together.
pub fn reasons(past: &Past, now: Timestamp) -> Markup {
    html! {
        section.card aria-labelledby="reasons" {
            (parts::section("reasons", "Why tasks failed, last hour", html! { a href="/tasks?status=failed" { "All failures" } }))
            @if past.reasons.is_empty() { (parts::empty("No failure", html! { "The same reasons are counted together here." })) }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Table of reasons" { table {
                    thead { tr { th.number scope="col" { "Times" } th scope="col" { "Reason" } th scope="col" { "Newest" } } }
                    tbody { @for Reason { group, newest } in past.reasons.iter().take(REASONS_SHOWN) { tr {
                        td.number { (text::count(group.count)) }
                        td { span.error-line title=(group.message) { (text::short(newest.as_ref().unwrap_or(&group.message), 120)) } div.under { (group.task_type) " · " (group.kind.as_str()) } }
                        td { (parts::link("/tasks", group.last_task.as_str())) div.under { (parts::age(group.last_at, now)) } }
                    } } }
                } }
            }
        }
    }
}
