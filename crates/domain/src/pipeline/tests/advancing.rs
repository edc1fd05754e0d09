//! Running, step by step.

use super::*;
use crate::{event::Kind, limits::STAGE_TASKS_MAX};

#[test]
fn an_execution_starts_a_created_pipeline_once() {
    let running = change(&in_a_row(), Command::Execute);
    assert_eq!(
        (running.status, running.started_at),
        (Status::Running, Some(at(10)))
    );
    assert!(decision(&running, Command::Execute).pipeline.is_none());
}

#[test]
fn ended_pipelines_are_retried_not_executed() {
    for status in [Status::Completed, Status::Failed, Status::Cancelled] {
        let ended = Pipeline {
            status,
            ..in_a_row()
        };
        assert!(decide(&ended, Command::Execute, at(10)).is_err());
    }
}

#[test]
fn stages_follow_each_other_as_their_tasks_end() {
    let mut run = change(&in_a_row(), Command::Execute);
    let first = decision(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    assert_eq!(first.effects, [Effect::FillStage { stage: 1 }]);
    run = first.pipeline.unwrap();
    let at_work = facts(vec![counts(1, 1, &[TaskStatus::Running])], &[]);
    assert!(
        decision(&run, Command::Advance { facts: at_work })
            .pipeline
            .is_none()
    );

    let one_done = vec![counts(1, 1, &[TaskStatus::Completed])];
    let second = decision(
        &run,
        Command::Advance {
            facts: facts(one_done.clone(), &[(2, 2)]),
        },
    );
    assert_eq!(second.effects, [Effect::FillStage { stage: 2 }]);
    let kinds: Vec<Kind> = second.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::StageCompleted, Kind::StageStarted]);
    let told: Vec<Option<f64>> = second.events.iter().map(|event| event.progress).collect();
    let floor = second.pipeline.as_ref().unwrap().progress_floor;
    assert!(floor > 0.0);
    assert_eq!(
        told,
        [Some(floor); 2],
        "events tell how far it is after them"
    );
    run = second.pipeline.unwrap();
    assert_eq!(run.stages[1].total, 2);

    let mut two_done = one_done;
    two_done.push(counts(2, 1, &[TaskStatus::Completed; 2]));
    run = change(
        &run,
        Command::Advance {
            facts: facts(two_done.clone(), &[]),
        },
    );
    two_done.push(counts(3, 1, &[TaskStatus::Completed]));
    let last = decision(
        &run,
        Command::Advance {
            facts: facts(two_done, &[]),
        },
    );
    assert_eq!(last.effects, [Effect::CollectOutput]);
    let told = last.events.last().map(|event| (event.kind, event.progress));
    assert_eq!(told, Some((Kind::PipelineCompleted, Some(100.0))));
    let done = last.pipeline.unwrap();
    assert_eq!(
        (done.status, done.progress_floor),
        (Status::Completed, 100.0)
    );
}

#[test]
fn a_map_stage_waits_until_its_chunks_are_counted() {
    let run = change(&in_a_row(), Command::Execute);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    let done = vec![counts(1, 1, &[TaskStatus::Completed])];
    let run = change(
        &run,
        Command::Advance {
            facts: facts(done, &[]),
        },
    );
    assert_eq!(run.stages[1].status, StageStatus::Pending);
}

#[test]
fn a_map_stage_without_chunks_is_completed_at_once() {
    let run = change(&in_a_row(), Command::Execute);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    let done = vec![counts(1, 1, &[TaskStatus::Completed])];
    let run = change(
        &run,
        Command::Advance {
            facts: facts(done, &[(2, 0)]),
        },
    );
    assert_eq!(run.stages[1].status, StageStatus::Completed);
    assert_eq!(run.stages[2].status, StageStatus::Running);
}

#[test]
fn tasks_that_are_missing_are_made_again() {
    let run = change(&in_a_row(), Command::Execute);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    let again = decision(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    assert!(again.pipeline.is_none());
    assert_eq!(again.effects, [Effect::FillStage { stage: 1 }]);
}

#[test]
fn a_lost_task_fails_its_stage_and_the_pipeline_and_cancels_the_rest() {
    let both = pipeline(vec![
        stage(1, Mode::Single, &[]),
        stage(2, Mode::Single, &[]),
    ]);
    let run = change(&both, Command::Execute);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    let stand = vec![
        counts(1, 1, &[TaskStatus::Failed]),
        counts(2, 1, &[TaskStatus::Running]),
    ];
    let failed = decision(
        &run,
        Command::Advance {
            facts: facts(stand, &[]),
        },
    );
    assert_eq!(failed.effects, [Effect::CancelTasks]);
    let failed = failed.pipeline.unwrap();
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(failed.stages[0].status, StageStatus::Failed);
    assert_eq!(failed.stages[1].status, StageStatus::Cancelled);
    let error = failed.error.unwrap();
    assert_eq!(
        error,
        "stage 1 (stage-1): 1 of 1 tasks failed or were cancelled"
    );
}

#[test]
fn a_stage_with_too_many_chunks_fails_and_a_retry_counts_them_anew() {
    let map = pipeline(vec![stage(1, Mode::Map, &[])]);
    let run = change(&map, Command::Execute);
    let too_many = facts(Vec::new(), &[(1, STAGE_TASKS_MAX + 1)]);
    let failed = change(&run, Command::Advance { facts: too_many });
    let failed = change(
        &failed,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    assert_eq!(
        failed.error.as_deref(),
        Some("stage 1 (stage-1): more than 100000 chunks")
    );
    assert_eq!(failed.status, Status::Failed);
    let run = change(&failed, replay(None));
    assert_eq!(run.stages[0].status, StageStatus::Pending, "it never began");
    let run = change(
        &run,
        Command::Advance {
            facts: facts(Vec::new(), &[(1, 1)]),
        },
    );
    assert_eq!(
        (run.stages[0].status, run.stages[0].total),
        (StageStatus::Running, 1)
    );
}

#[test]
fn a_cancellation_ends_what_runs_and_what_waits() {
    let run = change(&in_a_row(), Command::Execute);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    let decided = decision(&run, cancel());
    assert_eq!(decided.effects, [Effect::CancelTasks]);
    let ended = decided.pipeline.unwrap();
    assert_eq!(ended.error.as_deref(), Some("cancelled by `operator`"));
    assert!(
        ended
            .stages
            .iter()
            .all(|stage| stage.status == StageStatus::Cancelled)
    );
    assert!(decision(&ended, cancel()).pipeline.is_none(), "said twice");
}

#[test]
fn ended_pipelines_keep_asking_for_what_is_left_to_do() {
    let asks = |status, output_data| {
        let ended = Pipeline {
            status,
            output_data,
            ..in_a_row()
        };
        decision(
            &ended,
            Command::Advance {
                facts: Facts::default(),
            },
        )
        .effects
    };
    assert_eq!(asks(Status::Failed, None), [Effect::CancelTasks]);
    assert_eq!(asks(Status::Cancelled, None), [Effect::CancelTasks]);
    assert_eq!(asks(Status::Completed, None), [Effect::CollectOutput]);
    assert_eq!(asks(Status::Completed, Some(Payload::empty())), []);
    assert_eq!(asks(Status::Created, None), []);
}

#[test]
fn output_is_stored_once_and_only_when_completed() {
    let output = || Command::StoreOutput {
        output: Payload::empty(),
    };
    assert!(decision(&in_a_row(), output()).pipeline.is_none());
    let done = Pipeline {
        status: Status::Completed,
        ..in_a_row()
    };
    let stored = change(&done, output());
    assert!(decision(&stored, output()).pipeline.is_none());
}

#[test]
fn a_stage_can_be_executed_when_its_turn_is_come() {
    let created = in_a_row();
    assert!(decide(&created, Command::ExecuteStage { stage: 2 }, at(10)).is_err());
    let unknown = decide(&created, Command::ExecuteStage { stage: 9 }, at(10)).unwrap_err();
    assert!(matches!(unknown, Rejection::NotFound { .. }));
    let run = change(&created, Command::ExecuteStage { stage: 1 });
    assert_eq!(run.status, Status::Running);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    assert!(
        decision(&run, Command::ExecuteStage { stage: 1 })
            .pipeline
            .is_none()
    );
}
