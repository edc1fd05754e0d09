//! How MongoDB answers: no question, and no write, looks through a whole collection.
//!
//! The server's profiler notes the plan of every operation while each method of the port is called; the test
//! then reads its notes. So a question that is asked some day without an index fails here, whoever asks it.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use mcpanel_domain::{
    AgentId, KeyId, Name, Namespace, OperationId, PipelineId, TaskId, TemplateId, Timestamp,
    task::Status,
};
use mcpanel_store::{
    Store,
    conformance::World,
    query::{ArtifactFilter, EventFilter, OperationFilter, Page, PipelineFilter, TaskFilter},
};
use mongodb::bson::{Document, doc};

use crate::{mongo_conformance::Mongo, servers, work};

/// Room for the notes of some thousand operations, in bytes.
const NOTES_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::test]
async fn no_operation_scans_a_collection() {
    let world = World::<Mongo>::open().await;
    let Some(driver) = servers::newest_here().await else {
        return;
    };
    driver
        .create_collection("system.profile")
        .capped(true)
        .size(NOTES_BYTES)
        .await
        .unwrap();
    driver.run_command(doc! { "profile": 2 }).await.unwrap();
    work::everything(&world).await;
    let store = world.shared();
    ask_everything(&*store, &world.ns, world.clock.now()).await;
    driver.run_command(doc! { "profile": 0 }).await.unwrap();
    let notes: Vec<Document> = driver
        .collection::<Document>("system.profile")
        .find(doc! { "planSummary": { "$exists": true } })
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let mut seen = BTreeSet::new();
    let mut scans = Vec::new();
    for note in &notes {
        let plan = note.get_str("planSummary").unwrap_or_default();
        let place = note.get_str("ns").unwrap_or_default();
        if let Some((_, collection)) = place.split_once('.') {
            seen.insert(collection.to_owned());
        }
        if plan.contains("COLLSCAN") && !place.contains("system.") {
            scans.push(format!(
                "{place}: {}",
                note.get_document("command").unwrap()
            ));
        }
    }
    assert!(scans.is_empty(), "{}", scans.join("\n"));
    for collection in [
        "agents",
        "tasks",
        "pipelines",
        "templates",
        "artifacts",
        "api_keys",
        "idempotency",
        "task_logs",
        "event_blocks",
        "task_counts",
        "operations",
        "samples",
    ] {
        assert!(
            seen.contains(collection),
            "nothing was noted of {collection}: {seen:?}"
        );
    }
}

/// Calls every method that reads.
async fn ask_everything(store: &dyn Store, ns: &Namespace, now: Timestamp) {
    let task = TaskId::parse("t03").unwrap();
    let agent = AgentId::parse("worker").unwrap();
    let pipeline = PipelineId::parse("pipe_1").unwrap();
    let ids = [task.clone(), TaskId::parse("nobody").unwrap()];
    store.tasks(ns, &ids).await.unwrap();
    store.payloads(ns, &ids).await.unwrap();
    for filter in filters(&agent, &pipeline, now) {
        let mut page = Page::first(3);
        for _ in 0..3 {
            let listing = store.list_tasks(ns, &filter, &page).await.unwrap();
            page.after = listing.next;
        }
        store.count_tasks(ns, &filter, 1_000).await.unwrap();
    }
    store.dependents(ns, &task).await.unwrap();
    store.logs(ns, &task, 0, 10).await.unwrap();
    store.totals(ns).await.unwrap();
    store.queues(ns).await.unwrap();
    store.activity(ns, now).await.unwrap();
    store.namespaces().await.unwrap();
    store
        .samples(ns, Timestamp::ZERO, Timestamp::MAX)
        .await
        .unwrap();
    store.ready_ahead(ns, &task).await.unwrap();
    store.due(now.plus_ms(3_600_000), 10).await.unwrap();
    store.next_due().await.unwrap();
    store.agent(ns, &agent).await.unwrap();
    store.agents(ns).await.unwrap();
    store.leases(ns, &agent).await.unwrap();
    store.orphaned_leases(10).await.unwrap();
    store.pipeline(ns, &pipeline).await.unwrap();
    let page = Page::first(10);
    for tag in [None, Some("weekly".to_owned())] {
        for statuses in [vec![], vec![mcpanel_domain::pipeline::Status::Created]] {
            let tag = tag.clone();
            for template in [None, TemplateId::parse("mine").ok()] {
                let filter = PipelineFilter {
                    statuses: statuses.clone(),
                    tag: tag.clone(),
                    template,
                    created_from: Some(Timestamp::ZERO),
                    created_before: Some(now),
                };
                store.list_pipelines(ns, &filter, &page).await.unwrap();
            }
        }
    }
    store.stage_counts(ns, &pipeline).await.unwrap();
    store.unsettled_pipelines().await.unwrap();
    store.doomed_tasks(10).await.unwrap();
    let template = TemplateId::parse("mine").unwrap();
    store.template(ns, &template, None).await.unwrap();
    store.template(ns, &template, Some(1)).await.unwrap();
    store.templates(ns).await.unwrap();
    let artifact = mcpanel_domain::ArtifactId::parse("art_1").unwrap();
    store.artifact(ns, &artifact).await.unwrap();
    let base = ArtifactFilter::default();
    for filter in [
        base.clone(),
        ArtifactFilter {
            pipeline_id: Some(pipeline.clone()),
            stage: Some(None),
            ..base.clone()
        },
        ArtifactFilter {
            task_id: Some(task.clone()),
            ..base.clone()
        },
        ArtifactFilter {
            role: Some("chunk".to_owned()),
            stage: Some(Some(1)),
            ..base
        },
    ] {
        store.list_artifacts(ns, &filter, &page).await.unwrap();
    }
    store.key_by_hash(&[1; 32]).await.unwrap();
    store
        .key(ns, &KeyId::parse("key_1").unwrap())
        .await
        .unwrap();
    store.keys(ns).await.unwrap();
    store.idempotency(ns, "tester/1").await.unwrap();
    store.purge_idempotency(now).await.unwrap();
    store.purge_samples(Timestamp::ZERO).await.unwrap();
    store
        .operation(ns, &OperationId::parse("op_1").unwrap())
        .await
        .unwrap();
    let filter = OperationFilter::default();
    store.list_operations(ns, &filter, &page).await.unwrap();
    store.running_operations(10).await.unwrap();
    store
        .events(ns, &EventFilter::default(), 3, 10)
        .await
        .unwrap();
}

/// A filter of each kind, and some together.
fn filters(agent: &AgentId, pipeline: &PipelineId, now: Timestamp) -> Vec<TaskFilter> {
    let base = TaskFilter::default();
    let work = Some(Name::parse("work").unwrap());
    vec![
        base.clone(),
        TaskFilter {
            statuses: vec![Status::Completed],
            ..base.clone()
        },
        TaskFilter {
            statuses: vec![Status::Pending, Status::Failed],
            task_type: work.clone(),
            ..base.clone()
        },
        TaskFilter {
            task_type: work,
            created_from: Some(Timestamp::ZERO),
            created_before: Some(now),
            ..base.clone()
        },
        TaskFilter {
            agent_id: Some(agent.clone()),
            ..base.clone()
        },
        TaskFilter {
            held_by: Some(agent.clone()),
            agent_id: Some(agent.clone()),
            ..base.clone()
        },
        TaskFilter {
            pipeline_id: Some(pipeline.clone()),
            stage: Some(1),
            ..base.clone()
        },
        TaskFilter {
            stage: Some(1),
            updated_from: Some(Timestamp::ZERO),
            ended_before: Some(now),
            ..base
        },
    ]
}
