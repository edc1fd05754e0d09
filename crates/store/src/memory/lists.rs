//! Lists: filtered, newest first, a page at a time.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, TemplateId, Timestamp,
    artifact::Artifact,
    key::ApiKey,
    operation::Operation,
    pipeline::{Pipeline, Template},
    task::Task,
};

use super::documents::Documents;
use crate::query::{
    ArtifactFilter, EventFilter, Events, Listing, OperationFilter, Page, PipelineFilter, Position,
    TaskFilter,
};

impl Documents {
    pub(super) fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Listing<Arc<Task>> {
        let items = self
            .tasks
            .values()
            .filter(|task| task.namespace == *namespace && filter.matches(task))
            .cloned();
        cut(items, page, |task| (task.created_at, task.id.to_string()))
    }

    pub(super) fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Listing<Arc<Pipeline>> {
        let items = self
            .pipelines
            .values()
            .filter(|pipeline| pipeline.namespace == *namespace && filter.matches(pipeline))
            .cloned();
        cut(items, page, |pipeline| {
            (pipeline.created_at, pipeline.id.to_string())
        })
    }

    pub(super) fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Listing<Arc<Artifact>> {
        let items = self
            .artifacts
            .values()
            .filter(|artifact| artifact.namespace == *namespace && filter.matches(artifact))
            .cloned();
        cut(items, page, |artifact| {
            (artifact.created_at, artifact.id.to_string())
        })
    }

    pub(super) fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Listing<Arc<Operation>> {
        let items = self
            .operations
            .values()
            .filter(|operation| operation.namespace == *namespace && filter.matches(operation))
            .cloned();
        cut(items, page, |operation| {
            (operation.created_at, operation.id.to_string())
        })
    }

    pub(super) fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Option<Arc<Template>> {
        let (low, high) = version.map_or((0, u32::MAX), |version| (version, version));
        self.templates
            .range((namespace.clone(), id.clone(), low)..=(namespace.clone(), id.clone(), high))
            .next_back()
            .map(|(_, template)| template.clone())
    }

    pub(super) fn templates(&self, namespace: &Namespace) -> Vec<Arc<Template>> {
        let mut newest: Vec<Arc<Template>> = Vec::new();
        for template in self
            .templates
            .values()
            .filter(|each| each.namespace == *namespace)
        {
            match newest.last_mut() {
                Some(last) if last.id == template.id => *last = template.clone(),
                _ => newest.push(template.clone()),
            }
        }
        newest
    }

    pub(super) fn keys(&self, namespace: &Namespace) -> Vec<Arc<ApiKey>> {
        let mut keys: Vec<Arc<ApiKey>> = self
            .keys
            .values()
            .filter(|key| key.namespace == *namespace)
            .cloned()
            .collect();
        keys.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        keys
    }

    pub(super) fn event_time(&self, after: u64) -> Option<(u64, Timestamp)> {
        let at = self.events.partition_point(|event| event.seq <= after);
        self.events.get(at).map(|first| (first.seq, first.event.at))
    }

    pub(super) fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Events {
        let from = self.events.partition_point(|event| event.seq <= after);
        let looked = &self.events[from..(from + limit).min(self.events.len())];
        Events {
            events: looked
                .iter()
                .filter(|each| each.event.namespace == *namespace && filter.matches(each))
                .cloned()
                .collect(),
            scanned_to: looked.last().map_or(after, |event| event.seq),
            last: self.last_seq(),
            first_kept: self
                .events
                .first()
                .map_or(self.seq_before + 1, |event| event.seq),
        }
    }
}

/// Sorts newest first and cuts out the page.
fn cut<T>(
    items: impl Iterator<Item = T>,
    page: &Page,
    key: impl Fn(&T) -> (Timestamp, String),
) -> Listing<T> {
    let mut sorted: Vec<(Position, T)> = items
        .map(|item| {
            let (created_at, id) = key(&item);
            (Position { created_at, id }, item)
        })
        .filter(|(position, _)| page.admits(position.created_at, &position.id))
        .collect();
    sorted.sort_by(|a, b| b.0.cmp(&a.0));
    let more = sorted.len() > page.limit;
    sorted.truncate(page.limit);
    let next = if more {
        sorted.last().map(|(position, _)| position.clone())
    } else {
        None
    };
    Listing {
        items: sorted.into_iter().map(|(_, item)| item).collect(),
        next,
    }
}
