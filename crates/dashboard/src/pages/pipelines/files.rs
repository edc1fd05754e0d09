//! What came out of a pipeline: files by the stage that made them, the last stage first, found by name and role.

use std::{collections::BTreeMap, sync::Arc};

use maud::{Markup, html};
use mcpanel_control::PipelineView;
use mcpanel_domain::artifact::Artifact;
use mcpanel_store::query::{ArtifactFilter, Page};

use super::stages;
use crate::{
    Dashboard,
    error::Result,
    limits::{ARTIFACTS_LOOKED_AT, ARTIFACTS_SHOWN},
    pages::artifacts,
    session::Viewer,
    ui::{list::Query, parts, text},
};

/// The parameter that names and roles are searched for.
pub const SEARCH: &str = "file";

/// Files of a pipeline, the newest first.
pub struct Files {
    shown: Vec<Arc<Artifact>>,
    report: Option<Arc<Artifact>>,
    /// What they were searched for.
    sought: Option<String>,
    /// Whether there may be more that fit.
    is_cut: bool,
}

impl Files {
    /// Those that fit what the query asks for.
    pub async fn find(
        dashboard: &Dashboard,
        viewer: &Viewer,
        view: &PipelineView,
        query: &Query,
    ) -> Result<Self> {
        let filter = ArtifactFilter {
            pipeline_id: Some(view.pipeline.id.clone()),
            ..ArtifactFilter::default()
        };
        let sought = query.text(SEARCH).map(str::to_owned);
        let mut files = Self {
            shown: Vec::new(),
            report: None,
            sought,
            is_cut: false,
        };
        let catalog = &dashboard.control.catalog;
        let mut page = Page::first(ARTIFACTS_SHOWN);
        let mut looked_at = 0;
        loop {
            let listing = catalog.artifacts(&viewer.scope, &filter, &page).await?;
            looked_at += listing.items.len();
            for file in listing.items {
                files.add(file);
            }
            page.after = listing.next;
            let is_full = files.shown.len() > ARTIFACTS_SHOWN;
            if page.after.is_none() || is_full || looked_at >= ARTIFACTS_LOOKED_AT {
                files.is_cut = page.after.is_some() || is_full;
                files.shown.truncate(ARTIFACTS_SHOWN);
                return Ok(files);
            }
        }
    }

    fn add(&mut self, file: Arc<Artifact>) {
        if self.report.is_none() && is_report(&file) {
            self.report = Some(file.clone());
        }
        if self.sought.as_deref().is_none_or(|text| fits(&file, text)) {
            self.shown.push(file);
        }
    }

    /// The card, the report before everything else.
    pub fn draw(&self, viewer: &Viewer, view: &PipelineView) -> Markup {
        html! {
            section.card aria-labelledby="artifacts" {
                (parts::section("artifacts", "Artifacts", html! {
                    @if let Some(report) = &self.report { a.button.primary href={ "/artifacts/" (report.id) } { "Open the report" } }
                }))
                @if self.shown.is_empty() && self.sought.is_none() { (parts::empty("Nothing came out yet", html! { "Files that the stages make show here." })) }
                @else {
                    (self.search(view))
                    @if self.shown.is_empty() { (parts::empty("No file fits", html! { "Files are found by their names and roles." })) }
                    @for (stage, files) in self.by_stage().iter().rev() { (group(viewer, view, *stage, files)) }
                    @if self.is_cut { p.muted { @if self.sought.is_some() { "Looked through the newest " (text::count(ARTIFACTS_LOOKED_AT as u64)) "; at most " (ARTIFACTS_SHOWN) " are shown." } @else { "The newest " (ARTIFACTS_SHOWN) " are shown; a name or role finds older ones." } } }
                }
            }
        }
    }

    fn search(&self, view: &PipelineView) -> Markup {
        let here = format!("/pipelines/{}", view.pipeline.id);
        html! {
            form.filter method="get" action={ (here) "#artifacts" } role="search" aria-label="Find artifacts" {
                label.grow { span.visually-hidden { "Name or role" }
                    input type="search" name=(SEARCH) placeholder="Name or role" value=[self.sought.as_deref()] autocomplete="off" spellcheck="false"; }
                button.button type="submit" { "Find" }
                @if self.sought.is_some() { a.button.plain href={ (here) "#artifacts" } { "Clear" } }
            }
        }
    }

    /// By the number of the stage that made them; those that no stage made come first.
    fn by_stage(&self) -> BTreeMap<Option<u16>, Vec<Arc<Artifact>>> {
        let mut groups: BTreeMap<Option<u16>, Vec<Arc<Artifact>>> = BTreeMap::new();
        for file in &self.shown {
            groups.entry(file.stage).or_default().push(file.clone());
        }
        groups
    }
}

fn group(
    viewer: &Viewer,
    view: &PipelineView,
    stage: Option<u16>,
    files: &[Arc<Artifact>],
) -> Markup {
    let name = match stage {
        Some(number) => {
            let known = view.pipeline.stage(number).map(stages::name);
            let name = known.map_or_else(String::new, |name| format!(", {name}"));
            format!("Stage {number}{name}")
        }
        None => "Uploaded".to_owned(),
    };
    let bytes: u64 = files.iter().map(|file| file.size_bytes).sum();
    let count = text::counted(files.len() as u64, "file");
    html! {
        details.files open {
            summary { (name) span.muted { " · " (count) " · " (text::bytes(bytes)) } }
            (artifacts::table(files, viewer, &name))
        }
    }
}

fn is_report(file: &Artifact) -> bool {
    file.role == "report" && file.media_type.starts_with("text/html")
}

fn fits(file: &Artifact, sought: &str) -> bool {
    let sought = sought.to_lowercase();
    [&file.name, &file.role]
        .iter()
        .any(|text| text.to_lowercase().contains(&sought))
}
