//! The documents that the steps make.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, ArtifactId, Namespace, Payload, PipelineId, SessionId, Timestamp,
    artifact::Artifact,
    pipeline::{self, NewPipeline, Pipeline, techdeck},
    task::{Attempt, Lease, State, Task},
};
use mcpanel_store::Write;

use super::NAMESPACES;

pub(super) fn ns(at: usize) -> Namespace {
    Namespace::parse(NAMESPACES[at]).unwrap()
}

pub(super) fn changed(task: &Task, result: Option<Payload>) -> Write {
    Write::Task {
        task: Arc::new(task.clone()),
        parameters: None,
        result,
    }
}

pub(super) fn assign(task: &mut Task, agent: &str, now: Timestamp) {
    task.attempt += 1;
    let agent_id = AgentId::parse(agent).unwrap();
    let session = SessionId::parse("sess_1").unwrap();
    task.attempts.push(Attempt {
        number: task.attempt,
        nonce: 1,
        agent_id: agent_id.clone(),
        session: session.clone(),
        assigned_at: now,
        started_at: None,
        ended_at: None,
        outcome: None,
        error: None,
    });
    task.state = State::Assigned(Lease {
        attempt: task.attempt,
        nonce: 1,
        agent_id,
        session,
        granted_at: now,
        expires_at: now.plus_ms(1_000),
        started_at: None,
    });
}

pub(super) fn new_pipeline(id: &str, now: Timestamp) -> Pipeline {
    let namespace = ns(0);
    let new = NewPipeline {
        id: PipelineId::parse(id).unwrap(),
        name: id.to_owned(),
        description: String::new(),
        template: None,
        stages: techdeck::template(&namespace).stages,
        input_data: Payload::empty(),
        metadata: Payload::empty(),
        tags: Vec::new(),
        priority: 0,
    };
    let created = pipeline::create(new, &namespace, "tester", now);
    created.unwrap().pipeline.unwrap()
}

pub(super) fn new_artifact(id: ArtifactId, at: usize, now: Timestamp) -> Artifact {
    Artifact {
        id,
        namespace: ns(0),
        revision: 1,
        pipeline_id: None,
        stage: None,
        task_id: None,
        attempt: None,
        index: 0,
        name: "data.csv".to_owned(),
        role: format!("role{}", at % 2),
        media_type: "text/csv".to_owned(),
        size_bytes: 1,
        sha256: String::new(),
        records: None,
        metadata: Payload::empty(),
        created_at: now,
        created_by: "tester".to_owned(),
    }
}
