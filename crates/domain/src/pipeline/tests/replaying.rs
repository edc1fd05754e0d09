//! Running again.

use super::*;
use crate::event::Kind;

/// A pipeline whose second stage failed: its first is completed, its third never began.
fn failed_in_the_middle() -> Pipeline {
    let run = change(&in_a_row(), Command::Execute);
    let run = change(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    let first = counts(1, 1, &[TaskStatus::Completed]);
    let run = change(
        &run,
        Command::Advance {
            facts: facts(vec![first], &[(2, 2)]),
        },
    );
    let second = counts(2, 1, &[TaskStatus::Completed, TaskStatus::Failed]);
    let failed = change(
        &run,
        Command::Advance {
            facts: facts(vec![first, second], &[]),
        },
    );
    assert_eq!(failed.status, Status::Failed);
    failed
}

#[test]
fn a_retry_puts_back_what_failed_and_keeps_what_is_done() {
    let decided = decision(&failed_in_the_middle(), replay(None));
    assert_eq!(decided.effects, [Effect::ReplayTasks { stage: 2 }]);
    let run = decided.pipeline.unwrap();
    assert_eq!((run.status, &run.error), (Status::Running, &None));
    assert_eq!(run.stages[0].status, StageStatus::Completed);
    assert!(run.stages[1].replaying);
    assert_eq!(run.stages[1].run, 1);
    assert_eq!(run.stages[2].status, StageStatus::Pending);
}

#[test]
fn a_stage_is_replaying_until_none_of_its_tasks_is_lost_or_stopping() {
    let run = change(&failed_in_the_middle(), replay(None));
    let first = counts(1, 1, &[TaskStatus::Completed]);
    let lost = counts(2, 1, &[TaskStatus::Completed, TaskStatus::Cancelled]);
    let decided = decision(
        &run,
        Command::Advance {
            facts: facts(vec![first, lost], &[]),
        },
    );
    assert_eq!(decided.effects, [Effect::ReplayTasks { stage: 2 }]);
    assert!(
        decided.pipeline.is_none(),
        "a lost task does not fail it again"
    );

    let running = counts(2, 1, &[TaskStatus::Completed, TaskStatus::Running]);
    let stopping = Facts {
        stopping: vec![(2, 1)],
        ..facts(vec![first, running], &[])
    };
    let decided = decision(&run, Command::Advance { facts: stopping });
    assert_eq!(decided.effects, [Effect::ReplayTasks { stage: 2 }]);
    assert!(decided.pipeline.is_none());

    let run = change(
        &run,
        Command::Advance {
            facts: facts(vec![first, running], &[]),
        },
    );
    assert!(!run.stages[1].replaying);
}

#[test]
fn a_run_from_a_stage_makes_new_tasks_for_it_and_all_after_it() {
    let decided = decision(&failed_in_the_middle(), replay(Some(2)));
    assert_eq!(decided.effects, []);
    let event = &decided.events[0];
    assert_eq!((event.kind, event.stage), (Kind::PipelineReplayed, Some(2)));
    assert_eq!(event.status.as_deref(), Some("running"));
    let run = decided.pipeline.unwrap();
    let runs: Vec<u32> = run.stages.iter().map(|stage| stage.run).collect();
    assert_eq!(
        runs,
        [1, 2, 1],
        "the third never began and needs no other names"
    );
    assert_eq!(run.stages[1].status, StageStatus::Pending);
}

#[test]
fn tasks_of_an_earlier_run_are_cancelled() {
    let run = change(&failed_in_the_middle(), replay(Some(2)));
    let stand = facts(
        vec![
            counts(1, 1, &[TaskStatus::Completed]),
            counts(2, 1, &[TaskStatus::Failed, TaskStatus::Running]),
        ],
        &[(2, 2)],
    );
    let decided = decision(&run, Command::Advance { facts: stand });
    assert!(decided.effects.contains(&Effect::CancelOutdated));
    assert_eq!(decided.pipeline.unwrap().status, Status::Running);
}

#[test]
fn a_completed_pipeline_is_retried_from_a_stage_only() {
    let done = Pipeline {
        status: Status::Completed,
        ..in_a_row()
    };
    assert!(decide(&done, replay(None), at(10)).is_err());
    assert!(decide(&done, replay(Some(1)), at(10)).is_ok());
    assert!(decide(&in_a_row(), replay(Some(1)), at(10)).is_err());
    assert!(decide(&done, replay(Some(9)), at(10)).is_err());
}

#[test]
fn progress_that_was_shown_is_kept_by_a_retry() {
    let command = Command::Replay {
        from: Some(1),
        percent: 61.5,
    };
    let run = change(&failed_in_the_middle(), command);
    assert_eq!(run.progress(&Facts::default()), 61.5);
}

#[test]
fn a_pipeline_that_was_cancelled_before_it_began_begins_with_a_retry() {
    let cancelled = change(&in_a_row(), cancel());
    let run = change(&cancelled, replay(None));
    assert_eq!(
        (run.status, run.started_at),
        (Status::Running, Some(at(10)))
    );
    let run = decision(
        &run,
        Command::Advance {
            facts: Facts::default(),
        },
    );
    assert_eq!(run.effects, [Effect::FillStage { stage: 1 }]);
}
