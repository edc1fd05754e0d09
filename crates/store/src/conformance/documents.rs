//! Pipelines, templates, artifacts, keys, and the memory of answered requests.

use std::sync::Arc;

use mcpanel_domain::{
    ArtifactId, KeyId, Payload, TemplateId,
    artifact::Artifact,
    key::ApiKey,
    pipeline::{Status, Template, techdeck},
};

use super::{
    Backend, World,
    world::{conflict, namespace, pipeline_id},
};
use crate::{
    Commit, IdempotencyRecord, Write,
    query::{ArtifactFilter, Page},
};

/// A pipeline and its changes.
pub async fn keeps_pipelines<B: Backend>() {
    let world = World::<B>::open().await;
    let mut pipeline = world.new_pipeline("pipe_1");
    let write = |pipeline: &mcpanel_domain::pipeline::Pipeline| {
        Commit::of(Write::Pipeline(Arc::new(pipeline.clone())))
    };
    world.commit(write(&pipeline)).await.unwrap();
    let world = world.restart().await;
    conflict(world.commit(write(&pipeline)).await);
    pipeline.revision = 2;
    pipeline.status = Status::Running;
    world.commit(write(&pipeline)).await.unwrap();
    let id = pipeline_id("pipe_1");
    let found = world.pipeline(&world.ns, &id).await.unwrap();
    assert_eq!(*found.unwrap(), pipeline);
    let other = namespace("other");
    assert!(world.pipeline(&other, &id).await.unwrap().is_none());
}

/// Versions stay; the newest is the usual one.
pub async fn templates_have_versions<B: Backend>() {
    let world = World::<B>::open().await;
    let id = TemplateId::parse("mine").unwrap();
    let version = |version| Template {
        id: id.clone(),
        version,
        description: format!("version {version}"),
        ..techdeck::template(&world.ns)
    };
    let write = |version: Template| Commit::of(Write::Template(Arc::new(version)));
    conflict(world.commit(write(version(2))).await);
    world.commit(write(version(1))).await.unwrap();
    world.commit(write(version(2))).await.unwrap();
    conflict(world.commit(write(version(2))).await);
    let (first, third) = (version(1), version(3));
    let world = world.restart().await;
    world.commit(write(third)).await.unwrap();
    let newest = world.template(&world.ns, &id, None).await.unwrap();
    assert_eq!(newest.unwrap().version, 3);
    let found = world.template(&world.ns, &id, Some(1)).await.unwrap();
    assert_eq!(*found.unwrap(), first);
    assert!(
        world
            .template(&world.ns, &id, Some(4))
            .await
            .unwrap()
            .is_none()
    );
    let all = world.templates(&world.ns).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].version, 3);
}

/// Made, deleted, made again under the same id at another time.
pub async fn artifacts_come_and_go<B: Backend>() {
    let world = World::<B>::open().await;
    let id = ArtifactId::parse("art_1").unwrap();
    let artifact = |world: &World<B>, name: &str| Artifact {
        id: id.clone(),
        namespace: world.ns.clone(),
        revision: 1,
        pipeline_id: None,
        stage: None,
        task_id: None,
        attempt: None,
        index: 0,
        name: name.to_owned(),
        role: "input".to_owned(),
        media_type: "text/csv".to_owned(),
        size_bytes: 1,
        sha256: String::new(),
        records: None,
        metadata: Payload::empty(),
        created_at: world.clock.now(),
        created_by: "tester".to_owned(),
    };
    let delete = |world: &World<B>| {
        Commit::of(Write::DeleteArtifact {
            namespace: world.ns.clone(),
            id: id.clone(),
            revision: 1,
        })
    };
    let write = |artifact| Commit::of(Write::Artifact(Arc::new(artifact)));
    world.commit(write(artifact(&world, "a"))).await.unwrap();
    let world = world.restart().await;
    world.commit(delete(&world)).await.unwrap();
    assert!(world.artifact(&world.ns, &id).await.unwrap().is_none());
    conflict(world.commit(delete(&world)).await);
    world.clock.advance(5);
    let again = artifact(&world, "b");
    world.commit(write(again.clone())).await.unwrap();
    let world = world.restart().await;
    let found = world.artifact(&world.ns, &id).await.unwrap();
    assert_eq!(*found.unwrap(), again);
    let page = Page::first(10);
    let listing = world
        .list_artifacts(&world.ns, &ArtifactFilter::default(), &page)
        .await
        .unwrap();
    assert_eq!(listing.items.len(), 1);
}

/// By hash in any namespace, by id in its own.
pub async fn keys_are_found_by_hash<B: Backend>() {
    let world = World::<B>::open().await;
    let key = |n: u8| ApiKey {
        id: KeyId::parse(&format!("key_{n}")).unwrap(),
        namespace: world.ns.clone(),
        revision: 1,
        name: String::new(),
        sha256: [n; 32],
        hint: String::new(),
        permissions: vec!["tasks:read".to_owned()],
        created_at: world.clock.now(),
        created_by: "tester".to_owned(),
        expires_at: None,
        revoked_at: None,
    };
    let write = |key: &ApiKey| Commit::of(Write::Key(Arc::new(key.clone())));
    let (one, two) = (key(1), key(2));
    world.commit(write(&one)).await.unwrap();
    world.commit(write(&two)).await.unwrap();
    let mut revoked = one.clone();
    revoked.revision = 2;
    revoked.revoked_at = Some(world.clock.now());
    world.commit(write(&revoked)).await.unwrap();
    conflict(world.commit(write(&revoked)).await);
    let world = world.restart().await;
    let found = world.key_by_hash(&[1; 32]).await.unwrap();
    assert_eq!(*found.unwrap(), revoked);
    assert!(world.key_by_hash(&[9; 32]).await.unwrap().is_none());
    let found = world.key(&world.ns, &two.id).await.unwrap();
    assert_eq!(*found.unwrap(), two);
    let other = namespace("other");
    assert!(world.key(&other, &two.id).await.unwrap().is_none());
    let all = world.keys(&world.ns).await.unwrap();
    let ids: Vec<&str> = all.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids, ["key_2", "key_1"]);
}

/// A record holds until it runs out, then the same key may be used again.
pub async fn idempotency_records_run_out<B: Backend>() {
    let world = World::<B>::open().await;
    let record = |world: &World<B>, key: &str| IdempotencyRecord {
        namespace: world.ns.clone(),
        key: key.to_owned(),
        fingerprint: [3; 32],
        outcome: Payload::parse(r#"{"id":"a"}"#).unwrap(),
        created_at: world.clock.now(),
        expires_at: world.clock.now().plus_ms(100),
    };
    let write = |record: &IdempotencyRecord| Commit::of(Write::Idempotency(record.clone()));
    let first = record(&world, "tester/1");
    world.commit(write(&first)).await.unwrap();
    world
        .commit(write(&record(&world, "tester/2")))
        .await
        .unwrap();
    let world = world.restart().await;
    let found = world.idempotency(&world.ns, "tester/1").await.unwrap();
    assert_eq!(found.unwrap(), first);
    conflict(world.commit(write(&first)).await);
    assert_eq!(world.purge_idempotency(world.clock.now()).await.unwrap(), 0);
    world.clock.advance(100);
    let again = record(&world, "tester/1");
    world.commit(write(&again)).await.unwrap();
    conflict(world.commit(write(&again)).await);
    let found = world.idempotency(&world.ns, "tester/1").await.unwrap();
    assert_eq!(found.unwrap(), again);
    let world = world.restart().await;
    assert_eq!(world.purge_idempotency(world.clock.now()).await.unwrap(), 1);
    let gone = world.idempotency(&world.ns, "tester/2").await.unwrap();
    assert!(gone.is_none());
    assert!(
        world
            .idempotency(&world.ns, "tester/1")
            .await
            .unwrap()
            .is_some()
    );
}
