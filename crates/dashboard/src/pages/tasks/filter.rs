//! Which tasks: the address says it, so that a filter can be kept, sent and gone back to.

use maud::{Markup, html};
use mcpanel_domain::{
    AgentId, Name, PipelineId,
    task::{Filter, Search, Status},
};

use crate::ui::{
    list::{Query, moment},
    status, text,
};

/// The views that people ask for most: word and query.
pub const VIEWS: [(&str, &str); 6] = [
    ("All", ""),
    ("Waiting", "status=pending"),
    ("Running", "status=assigned&status=running"),
    ("Retrying", "status=retry"),
    ("Failed", "status=failed"),
    ("Done", "status=completed"),
];

/// A filter, and what of the query could not be understood.
pub struct Asked {
    /// What is looked for.
    pub search: Search,
    /// Sentences about what was ignored.
    pub faults: Vec<String>,
}

/// Reads the filter of a query.
pub fn read(query: &Query) -> Asked {
    let mut faults = Vec::new();
    let mut statuses = Vec::new();
    for word in query.all("status") {
        match Status::parse(word) {
            Some(status) => statuses.push(status),
            None => faults.push(format!("there is no status “{word}”")),
        }
    }
    let asked = |name: &str, what: &str| {
        let text = query.text(name)?;
        Some((text, format!("{what} “{text}”")))
    };
    let task_type = asked("type", "no task type can be called");
    let agent = asked("agent", "no agent can be called");
    let pipeline = asked("pipeline", "no pipeline can be called");
    let stage = asked("stage", "no stage can be called");
    let held = asked("held", "no agent can be called");
    let from = asked("from", "not a time:");
    let before = asked("before", "not a time:");
    let ended = asked("ended", "not a time:");
    let filter = Filter {
        statuses,
        task_type: parsed(task_type, |text| Name::parse(text).ok(), &mut faults),
        agent_id: parsed(agent, |text| AgentId::parse(text).ok(), &mut faults),
        pipeline_id: parsed(pipeline, |text| PipelineId::parse(text).ok(), &mut faults),
        stage: parsed(stage, |text| text.parse().ok(), &mut faults),
        created_from: parsed(from, moment, &mut faults),
        created_before: parsed(before, moment, &mut faults),
        held_by: parsed(held, |text| AgentId::parse(text).ok(), &mut faults),
        ended_from: parsed(ended, moment, &mut faults),
        ..Filter::default()
    };
    let text = query.text("q").map(str::to_owned);
    Asked {
        search: Search { filter, text },
        faults,
    }
}

/// The query that reads as this search.
pub fn write(search: &Search) -> Query {
    let filter = &search.filter;
    let mut query = Query::default();
    for status in &filter.statuses {
        query = query.with("status", status.as_str());
    }
    let texts = [
        ("type", filter.task_type.as_ref().map(ToString::to_string)),
        ("agent", filter.agent_id.as_ref().map(ToString::to_string)),
        ("held", filter.held_by.as_ref().map(ToString::to_string)),
        (
            "pipeline",
            filter.pipeline_id.as_ref().map(ToString::to_string),
        ),
        ("stage", filter.stage.map(|stage| stage.to_string())),
        ("from", filter.created_from.map(|at| at.to_string())),
        ("before", filter.created_before.map(|at| at.to_string())),
        ("ended", filter.ended_from.map(|at| at.to_string())),
        ("q", search.text.clone()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            query = query.with(name, &text);
        }
    }
    query
}

/// What a search is about, in words and chips.
pub fn describe(search: &Search) -> Markup {
    let query = write(search);
    html! {
        span.chips {
            @if query.is_empty() { span.chip { "every task" } }
            @for (name, value) in query.pairs() { span.chip { (label(name)) " " b { (text::short(value, 60)) } } }
        }
    }
}

fn label(name: &str) -> &str {
    match name {
        "held" => "runs on",
        "from" => "created from",
        "before" => "created before",
        "ended" => "ended from",
        "q" => "text",
        other => other,
    }
}

fn parsed<T>(
    asked: Option<(&str, String)>,
    read: impl Fn(&str) -> Option<T>,
    faults: &mut Vec<String>,
) -> Option<T> {
    let (text, fault) = asked?;
    let value = read(text);
    if value.is_none() {
        faults.push(fault);
    }
    value
}

/// The names of the query that make the filter.
pub const NAMES: [&str; 10] = [
    "status", "type", "agent", "held", "pipeline", "stage", "from", "before", "ended", "q",
];

/// Whether the query filters at all.
pub fn is_empty(query: &Query) -> bool {
    NAMES.iter().all(|name| query.text(name).is_none())
}

/// The bar above the list.
pub fn bar(query: &Query) -> Markup {
    let statuses: Vec<&str> = query.all("status").collect();
    let field = |name: &'static str, label: &str, hint: &str| {
        html! {
            label.field { span { (label) }
                input type="text" name=(name) value=[query.text(name)] placeholder=(hint) autocomplete="off" spellcheck="false"; }
        }
    };
    let detailed = NAMES
        .iter()
        .filter(|name| !matches!(**name, "status" | "q"))
        .any(|name| query.text(name).is_some());
    html! {
        form.filter method="get" action="/tasks" role="search" aria-label="Filter tasks" {
            label.grow { span.visually-hidden { "Text in parameters, error, id or type" }
                input data-search type="search" name="q" placeholder="Text in parameters, error, id or type" value=[query.text("q")]; }
            button.button.primary type="submit" { "Filter" }
            @if !is_empty(query) { a.button.plain href="/tasks" { "Clear" } }
            details.more open[detailed || statuses.len() > 1] {
                summary { "More filters" }
                fieldset.statuses { legend { "Status" }
                    @for each in Status::ALL {
                        label.check { input type="checkbox" name="status" value=(each.as_str()) checked[statuses.contains(&each.as_str())]; (status::task(each)) }
                    }
                }
                div.fields {
                    (field("type", "Type", "bias_detection"))
                    (field("agent", "Agent", "agent id"))
                    (field("pipeline", "Pipeline", "pipeline id"))
                    (field("stage", "Stage", "3"))
                    (field("held", "Runs on now", "agent id"))
                    (field("from", "Created from (UTC)", "2026-01-02T03:04"))
                    (field("before", "Created before (UTC)", "2026-01-03"))
                    (field("ended", "Ended from (UTC)", "2026-01-02T03:04"))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mcpanel_domain::Timestamp;

    use super::*;

    #[test]
    fn reads_what_the_address_says() {
        let query = Query::read(Some(
            "status=failed&status=retry&type=bias&agent=a&pipeline=p&stage=3&from=2026-01-02&before=2026-01-02T03:04",
        ));
        let asked = read(&query);
        assert!(asked.faults.is_empty(), "{:?}", asked.faults);
        let again = read(&write(&asked.search));
        assert_eq!(again.search, asked.search, "what is written reads the same");
        let filter = asked.search.filter;
        assert_eq!(filter.statuses, [Status::Failed, Status::Retry]);
        assert_eq!(filter.stage, Some(3));
        assert_eq!(
            filter.created_from,
            Timestamp::parse("2026-01-02T00:00:00Z").ok()
        );
        assert_eq!(
            filter.created_before,
            Timestamp::parse("2026-01-02T03:04:00Z").ok()
        );
    }

    #[test]
    fn says_what_it_does_not_understand_instead_of_ignoring_it() {
        let query = Query::read(Some("status=flying&stage=x&agent=a/b&from=yesterday"));
        let asked = read(&query);
        assert_eq!(asked.faults.len(), 4, "{:?}", asked.faults);
        assert!(asked.faults[0].contains("flying"));
    }
}
