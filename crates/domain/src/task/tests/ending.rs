//! Completing, failing, retrying, giving back.

use super::*;
use crate::{
    event::Kind,
    limits::ATTEMPTS_KEPT,
    task::{Effect, Outcome},
};

#[test]
fn a_completion_ends_the_attempt_at_a_hundred_per_cent() {
    let task = completed();
    assert_eq!(task.progress.percent, 100.0);
    assert_eq!(task.completed_at, Some(at(40)));
    let attempt = task.attempts.last().unwrap();
    assert_eq!(attempt.outcome, Some(Outcome::Completed));
    assert_eq!(attempt.ended_at, Some(at(40)));
}

#[test]
fn a_completion_without_a_start_counts_as_both() {
    let task = assigned();
    let task = change(&task, Command::Complete(held(&task)), at(30));
    assert_eq!(task.started_at, Some(at(30)));
}

#[test]
fn a_retryable_error_waits_and_counts() {
    let task = retrying();
    assert_eq!((task.status(), task.retry_count), (Status::Retry, 1));
    assert_eq!(task.ready_at(), Some(at(1_040)));
    assert_eq!(task.error.unwrap().kind, ErrorType::Network);
}

#[test]
fn an_error_of_another_class_fails_at_once() {
    let task = failed();
    assert_eq!((task.status(), task.retry_count), (Status::Failed, 0));
}

#[test]
fn retries_end_with_the_policy() {
    let mut task = create(&wish());
    let mut runs = 0;
    let mut now = 0;
    while !task.status().is_terminal() {
        now += 2_000;
        task = change(&task, assign("a"), at(now));
        task = change(&task, fail(&task, ErrorType::Network), at(now));
        runs += 1;
    }
    assert_eq!(
        (task.status(), task.retry_count, runs),
        (Status::Failed, 2, 3)
    );
}

#[test]
fn a_released_task_waits_where_it_waited() {
    let release = |task: &Task| Command::Release {
        held: held(task),
        reason: "shutting down".to_owned(),
    };
    let task = running();
    let task = change(&task, release(&task), at(50));
    assert_eq!((task.status(), task.retry_count), (Status::Pending, 0));
    let task = change(&retrying(), assign("a"), at(2_000));
    let task = change(&task, release(&task), at(2_050));
    assert_eq!((task.status(), task.retry_count), (Status::Retry, 1));
    assert_eq!(task.ready_at(), Some(at(2_050)));
}

#[test]
fn who_waits_for_it_hears_of_a_task_that_will_not_complete() {
    for (task, waits) in [(failed(), true), (cancelled(), true), (completed(), false)] {
        let before = running();
        let command = match task.status() {
            Status::Failed => fail(&before, ErrorType::Validation),
            Status::Completed => Command::Complete(held(&before)),
            _ => Command::ConfirmCancel(held(&before)),
        };
        let before = if task.status() == Status::Cancelled {
            change(&before, cancel(), at(30))
        } else {
            before
        };
        let decided = decision(&before, command, at(40));
        let told = decided
            .effects
            .contains(&Effect::CancelDependents(task.id.clone()));
        assert_eq!(told, waits, "{:?}", task.status());
    }
}

#[test]
fn a_pipeline_hears_when_its_task_ends() {
    let advance = Effect::AdvancePipeline(PipelineId::parse("p").unwrap());
    let task = change(&in_a_pipeline(), assign("a"), at(10));
    for command in [
        Command::Complete(held(&task)),
        fail(&task, ErrorType::Validation),
    ] {
        assert!(decision(&task, command, at(20)).effects.contains(&advance));
    }
    assert!(
        decision(&in_a_pipeline(), cancel(), at(20))
            .effects
            .contains(&advance)
    );
    assert!(decision(&assigned(), cancel(), at(20)).effects.is_empty());
}

#[test]
fn events_tell_the_status_the_agent_and_the_place() {
    let task = change(&in_a_pipeline(), assign("a"), at(10));
    let events = decision(&task, Command::Complete(held(&task)), at(20)).events;
    let [event] = events.as_slice() else {
        panic!("one event tells of a completion: {events:?}");
    };
    assert_eq!(event.kind, Kind::TaskCompleted);
    assert_eq!(event.status.as_deref(), Some("completed"));
    assert_eq!(event.agent_id.as_ref().unwrap().as_str(), "a");
    assert_eq!((event.stage, event.progress), (Some(1), Some(100.0)));
}

#[test]
fn only_the_newest_attempts_are_kept() {
    let mut task = create(&wish());
    for _ in 0..ATTEMPTS_KEPT + 5 {
        task = change(&task, assign("a"), at(100));
        let release = Command::Release {
            held: held(&task),
            reason: String::new(),
        };
        task = change(&task, release, at(100));
    }
    assert_eq!(task.attempts.len(), ATTEMPTS_KEPT);
    assert_eq!(task.attempts.last().unwrap().number, task.attempt);
}
