//! Asking both stores everything there is to ask.

use mcpanel_domain::{
    AgentId, Name, Namespace, PipelineId, TaskId, pipeline::Status as PipelineStatus, task::Status,
};
use mcpanel_store::{
    Store,
    query::{ArtifactFilter, EventFilter, Page, PipelineFilter, TaskFilter},
};

use super::{AGENTS, NAMESPACES, PIPELINES, both::Both, documents::ns};

impl Both {
    /// Asks both stores everything there is to ask.
    pub(super) async fn compare(&mut self) {
        self.settle_up().await;
        for at in 0..NAMESPACES.len() {
            let namespace = ns(at);
            self.compare_documents(&namespace).await;
            self.compare_lists(&namespace).await;
            self.compare_events(&namespace).await;
        }
        let (ours, theirs) = (&self.embedded, &self.memory);
        assert_eq!(
            ours.doomed_tasks(100).await.unwrap(),
            theirs.doomed_tasks(100).await.unwrap()
        );
        assert_eq!(
            ours.orphaned_leases(100).await.unwrap(),
            theirs.orphaned_leases(100).await.unwrap()
        );
        assert_eq!(
            ours.unsettled_pipelines().await.unwrap(),
            theirs.unsettled_pipelines().await.unwrap()
        );
        assert_eq!(
            ours.next_due().await.unwrap(),
            theirs.next_due().await.unwrap()
        );
    }

    async fn compare_documents(&self, namespace: &Namespace) {
        let (ours, theirs) = (&self.embedded, &self.memory);
        let ids: Vec<TaskId> = (0..self.tasks.len() + 1)
            .map(|n| TaskId::parse(&format!("task_{n:03}")).unwrap())
            .collect();
        assert_eq!(
            ours.tasks(namespace, &ids).await.unwrap(),
            theirs.tasks(namespace, &ids).await.unwrap()
        );
        let payloads = |found: Vec<Option<mcpanel_store::query::Payloads>>| {
            found
                .into_iter()
                .map(|each| each.map(|each| (each.parameters, each.result)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            payloads(ours.payloads(namespace, &ids).await.unwrap()),
            payloads(theirs.payloads(namespace, &ids).await.unwrap())
        );
        for id in &ids {
            assert_eq!(
                ours.dependents(namespace, id).await.unwrap(),
                theirs.dependents(namespace, id).await.unwrap()
            );
            assert_eq!(
                ours.ready_ahead(namespace, id).await.unwrap(),
                theirs.ready_ahead(namespace, id).await.unwrap()
            );
            assert_eq!(
                ours.logs(namespace, id, 2, 5).await.unwrap(),
                theirs.logs(namespace, id, 2, 5).await.unwrap()
            );
        }
        assert_eq!(
            ours.totals(namespace).await.unwrap(),
            theirs.totals(namespace).await.unwrap()
        );
        for id in PIPELINES.map(|id| PipelineId::parse(id).unwrap()) {
            assert_eq!(
                ours.stage_counts(namespace, &id).await.unwrap(),
                theirs.stage_counts(namespace, &id).await.unwrap()
            );
            assert_eq!(
                ours.pipeline(namespace, &id).await.unwrap(),
                theirs.pipeline(namespace, &id).await.unwrap()
            );
        }
        for id in AGENTS.map(|id| AgentId::parse(id).unwrap()) {
            assert_eq!(
                ours.leases(namespace, &id).await.unwrap(),
                theirs.leases(namespace, &id).await.unwrap()
            );
        }
        for n in 0..3 {
            let key = format!("key {n}");
            assert_eq!(
                ours.idempotency(namespace, &key).await.unwrap(),
                theirs.idempotency(namespace, &key).await.unwrap()
            );
        }
    }

    async fn compare_lists(&self, namespace: &Namespace) {
        let (ours, theirs) = (&self.embedded, &self.memory);
        for filter in filters() {
            let mut page = Page::first(4);
            loop {
                let left = ours.list_tasks(namespace, &filter, &page).await.unwrap();
                let right = theirs.list_tasks(namespace, &filter, &page).await.unwrap();
                assert_eq!(left.items, right.items, "{filter:?}");
                assert_eq!(left.next, right.next, "{filter:?}");
                match left.next {
                    Some(next) => page.after = Some(next),
                    None => break,
                }
            }
        }
        let page = Page::first(100);
        for status in PipelineStatus::ALL {
            for tag in [None, Some("tag1".to_owned())] {
                let filter = PipelineFilter {
                    statuses: vec![status, PipelineStatus::Created],
                    tag,
                    ..PipelineFilter::default()
                };
                let left = ours.list_pipelines(namespace, &filter, &page).await;
                let right = theirs.list_pipelines(namespace, &filter, &page).await;
                assert_eq!(left.unwrap().items, right.unwrap().items);
            }
        }
        for role in [None, Some("role1".to_owned())] {
            let filter = ArtifactFilter {
                role,
                ..ArtifactFilter::default()
            };
            let left = ours.list_artifacts(namespace, &filter, &page).await;
            let right = theirs.list_artifacts(namespace, &filter, &page).await;
            assert_eq!(left.unwrap().items, right.unwrap().items);
        }
    }

    async fn compare_events(&self, namespace: &Namespace) {
        let filter = EventFilter::default();
        let mut after = 0;
        loop {
            let ours = self.embedded.events(namespace, &filter, after, 7).await;
            let theirs = self.memory.events(namespace, &filter, after, 7).await;
            let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
            assert_eq!(ours.events, theirs.events);
            assert_eq!(
                (ours.scanned_to, ours.last, ours.first_kept),
                (theirs.scanned_to, theirs.last, theirs.first_kept)
            );
            if ours.scanned_to == after {
                break;
            }
            after = ours.scanned_to;
        }
    }
}

fn filters() -> Vec<TaskFilter> {
    let base = TaskFilter::default();
    let mut filters = vec![
        base.clone(),
        TaskFilter {
            task_type: Some(Name::parse("other").unwrap()),
            ..base.clone()
        },
        TaskFilter {
            agent_id: Some(AgentId::parse("ada").unwrap()),
            ..base.clone()
        },
        TaskFilter {
            pipeline_id: Some(PipelineId::parse("pipe_1").unwrap()),
            stage: Some(2),
            ..base.clone()
        },
        TaskFilter {
            statuses: vec![Status::Failed, Status::Cancelled, Status::Pending],
            task_type: Some(Name::parse("work").unwrap()),
            ..base.clone()
        },
    ];
    filters.extend(Status::ALL.map(|status| TaskFilter {
        statuses: vec![status],
        ..base.clone()
    }));
    filters
}
