//! Which events: the address says it.

use maud::{Markup, html};
use mcpanel_domain::{AgentId, PipelineId, TaskId, event::Kind, task::Needle};
use mcpanel_store::query::EventFilter;

use crate::ui::{
    filter::Reading,
    list::{Query, moment},
    text,
};

/// The names of the query that mean something: conditions, and which part of the log is shown.
pub const KNOWN: [&str; 10] = [
    "kind", "task", "agent", "pipeline", "by", "from", "until", "q", "before", "to",
];

/// The names of the query that make the filter.
pub const NAMES: [&str; 8] = [
    "kind", "task", "agent", "pipeline", "by", "from", "until", "q",
];

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
    let mut asked = Reading::of(query);
    let kinds = asked.all("kind", "there is no kind", |word| {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == word)
    });
    let filter = EventFilter {
        kinds,
        task_id: asked.value("task", "no task can be called", |id| TaskId::parse(id).ok()),
        agent_id: asked.value("agent", "no agent can be called", |id| {
            AgentId::parse(id).ok()
        }),
        pipeline_id: asked.value("pipeline", "no pipeline can be called", |id| {
            PipelineId::parse(id).ok()
        }),
        by: query.text("by").map(str::to_owned),
        from: asked.value("from", "not a time:", moment),
        before: asked.value("until", "not a time:", moment),
        text: query.text("q").map(Needle::new),
    };
    Asked {
        filter,
        faults: asked.faults(),
    }
}

/// The conditions that are shown when one of them is set, or when somebody asks for them.
const DETAILS: [&str; 6] = ["task", "agent", "pipeline", "by", "from", "until"];

/// The bar above the list.
pub fn bar(query: &Query) -> Markup {
    let field = |name: &'static str, label: &str, hint: &str| {
        html! { label.field { span { (label) } input type="text" name=(name) value=[query.text(name)] placeholder=(hint) autocomplete="off" spellcheck="false"; } }
    };
    let kinds: Vec<&str> = query.all("kind").collect();
    let is_detailed = DETAILS.iter().any(|name| query.text(name).is_some());
    html! {
        form.filter method="get" action="/events" role="search" aria-label="Filter events" {
            div.fields {
                label.field { span { "Kind" } select data-search name="kind" {
                    option value="" { "Every kind" }
                    @for kind in Kind::ALL { option value=(kind.as_str()) selected[kinds == [kind.as_str()]] { (kind.as_str()) } }
                } }
                (field("q", "Text", "in messages and ids"))
            }
            details.more open[is_detailed] {
                summary { "More filters" }
                div.fields {
                    (field("task", "Task", "")) (field("agent", "Agent", "")) (field("pipeline", "Pipeline", "")) (field("by", "Done by", "key:key_…"))
                    (field("from", "From (UTC)", "2026-01-02T03:04")) (field("until", "Until (UTC)", "2026-01-03"))
                }
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
    use mcpanel_domain::Timestamp;

    use super::*;

    #[test]
    fn says_what_it_does_not_understand_instead_of_ignoring_it() {
        let asked = read(&Query::read(Some(
            "kind=task:failed&kind=x&task=a/b&agent=ok&from=2026-01-02&until=soon&q=Ward",
        )));
        assert_eq!(asked.filter.kinds, [Kind::TaskFailed]);
        assert_eq!(asked.filter.agent_id, AgentId::parse("ok").ok());
        let midnight = Timestamp::parse("2026-01-02T00:00:00Z").ok();
        assert_eq!(asked.filter.from, midnight);
        assert!(asked.filter.text.is_some_and(|text| text.is_in("ward 7")));
        assert_eq!(asked.faults.len(), 3, "{:?}", asked.faults);
    }

    #[test]
    fn the_given_views_name_kinds_that_there_are() {
        for (word, text) in VIEWS {
            let asked = read(&Query::read(Some(text)));
            assert!(asked.faults.is_empty(), "{word}: {:?}", asked.faults);
        }
    }
}
