//! The rules of pipelines, one by one and as whole runs over a model of their tasks.

mod advancing;
mod graph;
mod making;
mod model;
mod properties;
mod replaying;

use super::{
    Changes, Command, Decision, Effect, Facts, Mode, NewPipeline, NewTemplate, Pipeline,
    StageCounts, StageDefinition, StageStatus, Status, check_graph, create, create_template,
    decide, techdeck,
};
use crate::{
    Name, Namespace, Payload, PipelineId, Rejection, TemplateId, Timestamp, retry::RetryConfig,
    task::Status as TaskStatus,
};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_000_000 + ms)
}

fn stage(number: u16, mode: Mode, dependencies: &[u16]) -> StageDefinition {
    StageDefinition {
        number,
        name: format!("stage-{number}"),
        task_type: Name::parse("weigh").unwrap(),
        capabilities: Vec::new(),
        dependencies: dependencies.to_vec(),
        mode,
        timeout_ms: None,
        retry: RetryConfig::default(),
        parameters: Payload::empty(),
    }
}

fn wish(stages: Vec<StageDefinition>) -> NewPipeline {
    NewPipeline {
        id: PipelineId::parse("p").unwrap(),
        name: "A run".to_owned(),
        description: String::new(),
        template: None,
        stages,
        input_data: Payload::empty(),
        metadata: Payload::empty(),
        tags: Vec::new(),
        priority: 0,
    }
}

fn pipeline(stages: Vec<StageDefinition>) -> Pipeline {
    let namespace = Namespace::default_namespace();
    let decision = create(wish(stages), &namespace, "tests", at(0));
    decision.unwrap().pipeline.unwrap()
}

/// Three stages in a row: one task, a task per chunk, one task.
fn in_a_row() -> Pipeline {
    pipeline(vec![
        stage(1, Mode::Single, &[]),
        stage(2, Mode::Map, &[1]),
        stage(3, Mode::Reduce, &[2]),
    ])
}

fn decision(pipeline: &Pipeline, command: Command) -> Decision {
    decide(pipeline, command, at(10)).unwrap()
}

fn change(pipeline: &Pipeline, command: Command) -> Pipeline {
    decision(pipeline, command).pipeline.unwrap()
}

fn cancel() -> Command {
    Command::Cancel {
        by: "operator".to_owned(),
        reason: None,
    }
}

fn replay(from: Option<u16>) -> Command {
    Command::Replay { from, percent: 0.0 }
}

/// The counts of a stage whose tasks stand so.
fn counts(stage: u16, run: u32, statuses: &[TaskStatus]) -> StageCounts {
    let mut counts = StageCounts {
        stage,
        run,
        ..StageCounts::default()
    };
    for status in statuses {
        let at = TaskStatus::ALL
            .iter()
            .position(|each| each == status)
            .unwrap();
        counts.by_status[at] += 1;
        if *status == TaskStatus::Completed {
            counts.percent_sum += 100.0;
        }
    }
    counts
}

fn facts(stages: Vec<StageCounts>, inputs: &[(u16, u32)]) -> Facts {
    Facts {
        stages,
        inputs: inputs.to_vec(),
        ..Facts::default()
    }
}
