//! Which tasks: the address says it, so that a filter can be kept, sent and gone back to.

use maud::{Markup, html};
use mcpanel_domain::{
    AgentId, Name, PipelineId,
    task::{Filter, Search, Status},
};

use crate::ui::{
    filter::{Bar, Reading},
    list::{Query, moment},
    status, text,
};

/// The views that people ask for most: word and query.
pub const VIEWS: [(&str, &str); 7] = [
    ("All", ""),
    ("Waiting", "status=pending"),
    ("Running", "status=assigned&status=running"),
    ("Retrying", "status=retry"),
    ("Failed", "status=failed"),
    ("Done", "status=completed"),
    ("Cancelled", "status=cancelled"),
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
    let mut asked = Reading::of(query);
    let agent = |text: &str| AgentId::parse(text).ok();
    let filter = Filter {
        statuses: asked.statuses(Status::parse),
        task_type: asked.value("type", "no task type can be called", |text| {
            Name::parse(text).ok()
        }),
        agent_id: asked.value("agent", "no agent can be called", agent),
        pipeline_id: asked.value("pipeline", "no pipeline can be called", |text| {
            PipelineId::parse(text).ok()
        }),
        stage: asked.value("stage", "no stage can be called", |text| text.parse().ok()),
        created_from: asked.value("from", "not a time:", moment),
        created_before: asked.value("before", "not a time:", moment),
        held_by: asked.value("held", "no agent can be called", agent),
        ended_from: asked.value("ended", "not a time:", moment),
        ended_before: asked.value("ended_before", "not a time:", moment),
        ..Filter::default()
    };
    let text = query.text("q").map(str::to_owned);
    Asked {
        search: Search { filter, text },
        faults: asked.faults(),
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
        ("ended_before", filter.ended_before.map(|at| at.to_string())),
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
        "ended_before" => "ended before",
        "q" => "text",
        other => other,
    }
}

/// The names of the query that make the filter.
pub const NAMES: [&str; 11] = [
    "status",
    "type",
    "agent",
    "held",
    "pipeline",
    "stage",
    "from",
    "before",
    "ended",
    "ended_before",
    "q",
];

/// The bar above the list.
pub fn bar(query: &Query) -> Markup {
    Bar {
        path: "/tasks",
        of: "tasks",
        search: "Text in parameters, error, id or type",
        names: &NAMES,
        statuses: Status::ALL
            .map(|each| (each.as_str(), status::task(each)))
            .into(),
        fields: &[
            ("type", "Type", "bias_detection"),
            ("agent", "Agent", "agent id"),
            ("pipeline", "Pipeline", "pipeline id"),
            ("stage", "Stage", "3"),
            ("held", "Runs on now", "agent id"),
            ("from", "Created from (UTC)", "2026-01-02T03:04"),
            ("before", "Created before (UTC)", "2026-01-03"),
            ("ended", "Ended from (UTC)", "2026-01-02T03:04"),
            ("ended_before", "Ended before (UTC)", "2026-01-03"),
        ],
    }
    .draw(query)
}

#[cfg(test)]
mod tests {
    use mcpanel_domain::Timestamp;

    use super::*;

    #[test]
    fn reads_what_the_address_says() {
        let query = Query::read(Some(
            "status=failed&status=retry&type=bias&agent=a&pipeline=p&stage=3&from=2026-01-02&before=2026-01-02T03:04&ended=2026-01-02&ended_before=2026-01-03",
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
        assert_eq!(
            filter.ended_before,
            Timestamp::parse("2026-01-03T00:00:00Z").ok()
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
