//! Which events: the address says it.

use maud::{Markup, html};
use mcpanel_domain::{AgentId, PipelineId, TaskId, event::Kind};
use mcpanel_store::query::EventFilter;

use crate::ui::{list::Query, text};

/// The names of the query that make the filter.
pub const NAMES: [&str; 5] = ["kind", "task", "agent", "pipeline", "by"];

/// The views that everybody has: word and query.
pub const VIEWS: [(&str, &str); 4] = [
    ("All", ""),
    (
        "Failures",
        "kind=task:failed&kind=pipeline:stage_failed&kind=pipeline:failed&kind=operation:failed",
    ),
    (
        "Agents",
        "kind=agent:register&kind=agent:suspect&kind=agent:inactive&kind=agent:active&kind=agent:unregistered&kind=agent:updated",
    ),
    (
        "Audit",
        "kind=task:revealed&kind=task:cancel_requested&kind=task:cancelled&kind=task:replayed&kind=task:updated&kind=agent:updated&kind=agent:unregistered&kind=pipeline:created&kind=pipeline:cancelled&kind=pipeline:replayed&kind=key:created&kind=key:revoked&kind=template:stored&kind=artifact:deleted&kind=operation:created&kind=operation:aborted",
    ),
];

/// A filter, and what of the query could not be understood.
pub struct Asked {
    /// What is looked for.
    pub filter: EventFilter,
    /// Sentences about what was ignored.
    pub faults: Vec<String>,
}

/// Reads the filter of a query.
pub fn read(query: &Query) -> Asked {
    let mut faults = Vec::new();
    let mut kinds = Vec::new();
    for word in query.all("kind") {
        match Kind::ALL.iter().find(|kind| kind.as_str() == word) {
            Some(kind) => kinds.push(*kind),
            None => faults.push(format!("there is no kind “{}”", text::short(word, 60))),
        }
    }
    let mut unknown = |name: &str| {
        let id = query.text(name).unwrap_or_default();
        faults.push(format!("no {name} can be called “{}”", text::short(id, 60)));
    };
    let task_id = query.text("task").map(TaskId::parse);
    let agent_id = query.text("agent").map(AgentId::parse);
    let pipeline_id = query.text("pipeline").map(PipelineId::parse);
    if let Some(Err(_)) = task_id {
        unknown("task");
    }
    if let Some(Err(_)) = agent_id {
        unknown("agent");
    }
    if let Some(Err(_)) = pipeline_id {
        unknown("pipeline");
    }
    let filter = EventFilter {
        kinds,
        task_id: task_id.and_then(Result::ok),
        agent_id: agent_id.and_then(Result::ok),
        pipeline_id: pipeline_id.and_then(Result::ok),
        by: query.text("by").map(str::to_owned),
    };
    Asked { filter, faults }
}

/// The bar above the list.
pub fn bar(query: &Query) -> Markup {
    let field = |name: &'static str, label: &str| {
        html! { label.field { span { (label) } input type="text" name=(name) value=[query.text(name)] autocomplete="off" spellcheck="false"; } }
    };
    let kinds: Vec<&str> = query.all("kind").collect();
    html! {
        form.filter method="get" action="/events" role="search" aria-label="Filter events" {
            div.fields {
                label.field { span { "Kind" } select data-search name="kind" {
                    option value="" { "Every kind" }
                    @for kind in Kind::ALL { option value=(kind.as_str()) selected[kinds == [kind.as_str()]] { (kind.as_str()) } }
                } }
                (field("task", "Task")) (field("agent", "Agent")) (field("pipeline", "Pipeline")) (field("by", "Done by"))
            }
            @if let [_, _, ..] = kinds.as_slice() {
                fieldset.statuses { legend { "Several kinds" }
                    @for kind in &kinds { label.check { input type="checkbox" name="kind" value=(kind) checked; code { (text::short(kind, 40)) } } }
                }
            }
            button.button.primary type="submit" { "Filter" }
            @if !query.is_empty() { a.button.plain href="/events" { "Clear" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_it_does_not_understand_instead_of_ignoring_it() {
        let asked = read(&Query::read(Some(
            "kind=task:failed&kind=x&task=a/b&agent=ok",
        )));
        assert_eq!(asked.filter.kinds, [Kind::TaskFailed]);
        assert_eq!(asked.filter.agent_id, AgentId::parse("ok").ok());
        assert_eq!(asked.faults.len(), 2, "{:?}", asked.faults);
    }

    #[test]
    fn the_given_views_name_kinds_that_there_are() {
        for (word, text) in VIEWS {
            let asked = read(&Query::read(Some(text)));
            assert!(asked.faults.is_empty(), "{word}: {:?}", asked.faults);
        }
    }
}
