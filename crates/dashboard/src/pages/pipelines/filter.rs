//! Which pipelines: the address says it.

use maud::Markup;
use mcpanel_control::PipelineSearch;
use mcpanel_domain::{TemplateId, pipeline::Status};
use mcpanel_store::query::PipelineFilter;

use crate::ui::{
    filter::{Bar, Reading},
    list::{Query, moment},
    status,
};

/// The names of the query that make the filter.
pub const NAMES: [&str; 6] = ["status", "template", "tag", "from", "before", "q"];

/// The views that everybody has: word and query.
pub const VIEWS: [(&str, &str); 6] = [
    ("All", ""),
    ("Running", "status=running"),
    ("Failed", "status=failed"),
    ("Completed", "status=completed"),
    ("Not started", "status=created"),
    ("Cancelled", "status=cancelled"),
];

/// A filter, and what of the query could not be understood.
pub struct Asked {
    /// What is looked for.
    pub search: PipelineSearch,
    /// Sentences about what was ignored.
    pub faults: Vec<String>,
}

/// Reads the filter of a query.
pub fn read(query: &Query) -> Asked {
    let mut asked = Reading::of(query);
    let filter = PipelineFilter {
        statuses: asked.statuses(Status::parse),
        tag: query.text("tag").map(str::to_owned),
        template: asked.value("template", "no template can be called", |text| {
            TemplateId::parse(text).ok()
        }),
        created_from: asked.value("from", "not a time:", moment),
        created_before: asked.value("before", "not a time:", moment),
    };
    let text = query.text("q").map(str::to_owned);
    Asked {
        search: PipelineSearch { filter, text },
        faults: asked.faults(),
    }
}

/// The bar above the list.
pub fn bar(query: &Query) -> Markup {
    Bar {
        path: "/pipelines",
        of: "pipelines",
        search: "Text in name, id, tags, input, metadata or error",
        names: &NAMES,
        statuses: Status::ALL
            .map(|each| (each.as_str(), status::pipeline(each)))
            .into(),
        fields: &[
            ("template", "Template", "techdeck"),
            ("tag", "Tag", "ward-7"),
            ("from", "Created from (UTC)", "2026-01-02T03:04"),
            ("before", "Created before (UTC)", "2026-01-03"),
        ],
    }
    .draw(query)
}

#[cfg(test)]
mod tests {
    use mcpanel_domain::Timestamp;

    use super::*;

    #[test]
    fn reads_what_the_address_says_and_says_what_it_ignores() {
        let query = "status=failed&status=flying&template=techdeck&tag=ward+7&from=2026-01-02&before=soon&q=talks";
        let asked = read(&Query::read(Some(query)));
        let filter = &asked.search.filter;
        assert_eq!(filter.statuses, [Status::Failed]);
        assert_eq!(filter.template, TemplateId::parse("techdeck").ok());
        assert_eq!(filter.tag.as_deref(), Some("ward 7"));
        assert_eq!(
            filter.created_from,
            Timestamp::parse("2026-01-02T00:00:00Z").ok()
        );
        assert_eq!(asked.search.text.as_deref(), Some("talks"));
        assert_eq!(asked.faults.len(), 2, "{:?}", asked.faults);
    }
}
