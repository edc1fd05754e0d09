//! Files: whose they are, and under which lease.

use mcpanel_domain::{ArtifactId, PipelineId, pipeline::Mode, task::Proof};
use mcpanel_store::query::{ArtifactFilter, Page};

use super::{
    world::{World, stage},
    *,
};
use crate::Idempotency;

async fn held() -> (World, Proof) {
    let world = World::new();
    world.agent("a", &["read"], 2).await;
    world
        .execute("p", vec![stage(1, Mode::Single, "read", &[])])
        .await;
    let proof = world.hold("a", "p.s1.000000").await;
    (world, proof)
}

#[tokio::test]
async fn a_file_made_by_a_task_belongs_to_its_place() {
    let (world, proof) = held().await;
    world.chunk("p.s1.000000", proof, 3).await.unwrap();
    let filter = ArtifactFilter {
        pipeline_id: PipelineId::parse("p").ok(),
        ..ArtifactFilter::default()
    };
    let page = Page::first(10);
    let listing = world
        .control
        .catalog
        .artifacts(&world.scope, &filter, &page)
        .await
        .unwrap();
    let [artifact] = listing.items.as_slice() else {
        panic!("one file is expected");
    };
    assert_eq!(
        (artifact.stage, artifact.attempt, artifact.index),
        (Some(1), Some(1), 3)
    );
}

#[tokio::test]
async fn a_lease_that_does_not_hold_stores_nothing() {
    let (world, proof) = held().await;
    let guess = Proof { nonce: 1, ..proof };
    let stale = refused(world.chunk("p.s1.000000", guess, 0).await);
    assert!(matches!(stale, Rejection::StaleLease { .. }));
    world.complete("p.s1.000000", proof).await;
    let late = refused(world.chunk("p.s1.000000", proof, 0).await);
    assert!(matches!(late, Rejection::StaleLease { .. }));
}

#[tokio::test]
async fn a_file_of_an_unknown_pipeline_is_refused() {
    let (world, proof) = held().await;
    let pipeline = |text| PipelineId::parse(text).ok();
    let mut lost = World::artifact("x", "input");
    lost.pipeline_id = pipeline("nowhere");
    let found = faults(
        world
            .control
            .catalog
            .create_artifact(&world.scope, lost, None)
            .await,
    );
    assert_eq!(found, [fault("/pipeline_id", "unknown_pipeline")]);
    let mut elsewhere = World::artifact("x", "chunk");
    elsewhere.made_by = Some((id("p.s1.000000"), proof));
    elsewhere.pipeline_id = pipeline("another");
    let found = faults(
        world
            .control
            .catalog
            .create_artifact(&world.scope, elsewhere, None)
            .await,
    );
    assert_eq!(found, [fault("/pipeline_id", "mismatch")]);
}

#[tokio::test]
async fn a_repeated_upload_is_one_file() {
    let (world, proof) = held().await;
    let catalog = &world.control.catalog;
    let key = Idempotency {
        key: "k".to_owned(),
        fingerprint: [0; 32],
    };
    let file = |file: &str| {
        let mut new = World::artifact(file, "chunk");
        new.made_by = Some((id("p.s1.000000"), proof));
        new
    };
    let first = catalog
        .create_artifact(&world.scope, file("one"), Some(&key))
        .await
        .unwrap();
    world.complete("p.s1.000000", proof).await;
    let again = catalog
        .create_artifact(&world.scope, file("two"), Some(&key))
        .await
        .unwrap();
    assert!(again.replayed);
    assert_eq!(again.value.id, first.value.id);
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_another_namespace_never_saw_it() {
    let world = World::new();
    let catalog = &world.control.catalog;
    let new = World::artifact("x", "input");
    catalog
        .create_artifact(&world.scope, new, None)
        .await
        .unwrap();
    let x = ArtifactId::parse("x").unwrap();
    assert!(catalog.artifact(&world.stranger(), &x).await.is_err());
    assert!(
        catalog
            .delete_artifact(&world.stranger(), &x)
            .await
            .is_err()
    );
    catalog.delete_artifact(&world.scope, &x).await.unwrap();
    assert!(catalog.delete_artifact(&world.scope, &x).await.is_err());
}
