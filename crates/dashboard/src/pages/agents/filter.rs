//! Which agents: the address says it.

use maud::Markup;
use mcpanel_control::AgentView;
use mcpanel_domain::agent::Status;

use crate::ui::{
    filter::{Bar, Reading},
    list::Query,
    status,
};

/// The names of the query that make the filter.
pub const NAMES: [&str; 2] = ["status", "q"];

/// The views that everybody has: word and query.
pub const VIEWS: [(&str, &str); 5] = [
    ("All", ""),
    ("Free", "status=active"),
    ("Busy", "status=busy"),
    ("Not heard", "status=suspect&status=inactive"),
    ("Error", "status=error"),
];

/// A filter, and what of the query could not be understood.
pub struct Asked {
    statuses: Vec<Status>,
    /// In lower case.
    text: Option<String>,
    /// Sentences about what was ignored.
    pub faults: Vec<String>,
}

/// Reads the filter of a query.
pub fn read(query: &Query) -> Asked {
    let mut asked = Reading::of(query);
    let named = |word: &str| Status::ALL.into_iter().find(|each| each.as_str() == word);
    Asked {
        statuses: asked.statuses(named),
        text: query.text("q").map(str::to_lowercase),
        faults: asked.faults(),
    }
}

impl Asked {
    /// Whether an agent is asked for.
    pub fn matches(&self, view: &AgentView) -> bool {
        let agent = &view.agent;
        let says = |text: &str, wanted: &str| text.to_lowercase().contains(wanted);
        let fits_text = self.text.as_deref().is_none_or(|wanted| {
            let mut names = agent.capabilities.iter().map(|name| name.as_str());
            says(agent.id.as_str(), wanted)
                || says(&agent.name, wanted)
                || says(agent.agent_type.as_str(), wanted)
                || names.any(|name| says(name, wanted))
        });
        fits_text && (self.statuses.is_empty() || self.statuses.contains(&view.status))
    }
}

/// The bar above the list.
pub fn bar(query: &Query) -> Markup {
    Bar {
        path: "/agents",
        of: "agents",
        search: "Name, id, type or capability",
        names: &NAMES,
        statuses: Status::ALL
            .map(|each| (each.as_str(), status::agent(each)))
            .into(),
        fields: &[],
    }
    .draw(query)
}
