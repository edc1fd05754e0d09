//! Documents of every kind, and changes of most.

use std::sync::Arc;

use mcpanel_domain::{
    ArtifactId, KeyId, OperationId, Payload, TaskId, TemplateId,
    artifact::Artifact,
    event::Kind,
    key::ApiKey,
    log::{Level, Line},
    operation::{Kind as Wish, Matched, Operation, Status as OperationStatus},
    pipeline::{Template, techdeck},
    sample::{Activity, Sample, minute_of},
    task::{Search, State},
};
use mcpanel_store::{
    Commit, IdempotencyRecord, Write,
    conformance::{Backend, World},
};

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Writes a few documents of every kind.
pub async fn everything<B: Backend>(world: &World<B>) {
    let now = world.clock.now();
    world
        .commit(Commit::of(Write::Agent(Arc::new(
            world.new_agent("worker", "sess_1"),
        ))))
        .await
        .unwrap();
    let mut pipeline = world.new_pipeline("pipe_1");
    pipeline.tags = vec!["weekly".to_owned()];
    world
        .commit(Commit::of(Write::Pipeline(Arc::new(pipeline))))
        .await
        .unwrap();
    for n in 0..20 {
        let mut task = match n % 4 {
            0 => world.stage_task("pipe_1", 1, n),
            _ => world.task(&format!("t{n:02}")),
        };
        if n % 5 == 1 {
            task.dependencies = [parse::<TaskId>("t03"), parse::<TaskId>("late")].into();
        }
        if n % 7 == 2 {
            task.run_at = Some(now.plus_ms(100));
        }
        world.create(&task).await;
        if n % 3 == 0 {
            let held = world.assign(&task, "worker", "sess_1").await;
            match n {
                3 | 9 => world.end(&held, State::Completed).await,
                6 => world.end(&held, State::Failed).await,
                _ => held,
            };
        }
    }
    world.take(&world.offer("worker", 5)).await;
    let event = Commit::default().with_events([world.event(Kind::TaskCreated, "t01")]);
    world.commit(event).await.unwrap();
    for write in others(world) {
        world.commit(Commit::of(write)).await.unwrap();
    }
}

fn others<B: Backend>(world: &World<B>) -> Vec<Write> {
    let now = world.clock.now();
    let line = Line {
        seq: 0,
        at: now,
        attempt: 1,
        level: Level::Info,
        message: "begun".to_owned(),
    };
    vec![
        Write::Template(Arc::new(Template {
            id: parse::<TemplateId>("mine"),
            ..techdeck::template(&world.ns)
        })),
        Write::Artifact(Arc::new(Artifact {
            id: parse::<ArtifactId>("art_1"),
            namespace: world.ns.clone(),
            revision: 1,
            pipeline_id: Some(parse("pipe_1")),
            stage: None,
            task_id: None,
            attempt: None,
            index: 0,
            name: "data.csv".to_owned(),
            role: "input".to_owned(),
            media_type: "text/csv".to_owned(),
            size_bytes: 1,
            sha256: String::new(),
            records: None,
            metadata: Payload::empty(),
            created_at: now,
            created_by: "tester".to_owned(),
        })),
        Write::Key(Arc::new(ApiKey {
            id: parse::<KeyId>("key_1"),
            namespace: world.ns.clone(),
            revision: 1,
            name: String::new(),
            sha256: [1; 32],
            hint: String::new(),
            permissions: Vec::new(),
            created_at: now,
            created_by: "tester".to_owned(),
            expires_at: None,
            revoked_at: None,
        })),
        Write::Idempotency(IdempotencyRecord {
            namespace: world.ns.clone(),
            key: "tester/1".to_owned(),
            fingerprint: [3; 32],
            outcome: Payload::empty(),
            created_at: now,
            expires_at: now.plus_ms(100),
        }),
        Write::Operation(Arc::new(Operation {
            id: parse::<OperationId>("op_1"),
            namespace: world.ns.clone(),
            revision: 1,
            kind: Wish::Cancel,
            search: Search::default(),
            status: OperationStatus::Running,
            matched: Matched::default(),
            done: 0,
            skipped: 0,
            failed: 0,
            cursor: None,
            reason: None,
            error: None,
            created_by: "tester".to_owned(),
            created_at: now,
            updated_at: now,
            completed_at: None,
        })),
        Write::Sample(Arc::new(Sample {
            namespace: world.ns.clone(),
            minute: minute_of(now),
            tasks: [0; 7],
            ready: 0,
            agents: [0; 5],
            oldest_waiting_ms: None,
            activity: Activity::default(),
        })),
        Write::Logs {
            namespace: world.ns.clone(),
            task_id: parse("t03"),
            lines: vec![line],
        },
    ]
}
