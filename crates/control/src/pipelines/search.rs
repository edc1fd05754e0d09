//! Finding pipelines by a text in what they say, as tasks are found: looked at newest first, for a while, and the next
//! page goes on from there.

use std::sync::Arc;

use mcpanel_domain::{pipeline::Pipeline, task::Needle};
use mcpanel_store::query::{Listing, Page, PipelineFilter, Position};

use super::{PipelineOrchestrator, PipelineView};
use crate::{Result, Scope, search::Looks};

/// Which pipelines, and a text that they must contain.
#[derive(Debug, Clone, Default)]
pub struct PipelineSearch {
    /// What must hold.
    pub filter: PipelineFilter,
    /// What the id, the name, the description, a tag, the template, the error, the input or the metadata must
    /// contain; case does not matter.
    pub text: Option<String>,
}

impl From<PipelineFilter> for PipelineSearch {
    fn from(filter: PipelineFilter) -> Self {
        Self { filter, text: None }
    }
}

impl PipelineOrchestrator {
    /// A page of the pipelines that a search finds, newest first. With a text it may be shorter than asked for, or
    /// empty, and still not be the last: `next` tells how far back it looked.
    pub async fn search(
        &self,
        scope: &Scope,
        search: &PipelineSearch,
        page: &Page,
    ) -> Result<Listing<PipelineView>> {
        let listing = self.find(scope, search, page).await?;
        let mut items = Vec::with_capacity(listing.items.len());
        for pipeline in listing.items {
            items.push(self.view(pipeline).await?);
        }
        Ok(Listing {
            items,
            next: listing.next,
        })
    }

    async fn find(
        &self,
        scope: &Scope,
        search: &PipelineSearch,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        let store = &self.core.store;
        let (namespace, filter) = (&scope.namespace, &search.filter);
        let Some(text) = &search.text else {
            return Ok(store.list_pipelines(namespace, filter, page).await?);
        };
        let needle = Needle::new(text);
        let mut looks = Looks::begin(&self.core, page);
        let mut items = Vec::new();
        loop {
            let listing = store
                .list_pipelines(namespace, filter, looks.page())
                .await?;
            for pipeline in &listing.items {
                if says(pipeline, &needle) {
                    items.push(pipeline.clone());
                }
                if items.len() >= page.limit {
                    let next = Some(position(pipeline));
                    return Ok(Listing { items, next });
                }
            }
            if looks.end_after(listing.items.len(), listing.next.as_ref()) {
                let next = listing.next;
                return Ok(Listing { items, next });
            }
        }
    }
}

fn position(pipeline: &Pipeline) -> Position {
    Position {
        created_at: pipeline.created_at,
        id: pipeline.id.to_string(),
    }
}

fn says(pipeline: &Pipeline, needle: &Needle) -> bool {
    let template = pipeline.template.as_ref().map(|(id, _)| id.as_str());
    [
        pipeline.id.as_str(),
        &pipeline.name,
        &pipeline.description,
        template.unwrap_or_default(),
        pipeline.error.as_deref().unwrap_or_default(),
    ]
    .into_iter()
    .chain(pipeline.tags.iter().map(String::as_str))
    .any(|text| needle.is_in(text))
        || needle.is_in_payload(&pipeline.input_data)
        || needle.is_in_payload(&pipeline.metadata)
}
