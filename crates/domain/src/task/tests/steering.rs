//! Cancelling, replaying, delegating and changing tasks.

use super::*;
use crate::{
    Name,
    event::Kind,
    task::{Progress, new::Changes},
};

#[test]
fn a_waiting_task_is_cancelled_at_once() {
    for task in [create(&wish()), retrying()] {
        let task = change(&task, cancel(), at(50));
        assert_eq!(task.status(), Status::Cancelled);
        assert_eq!(
            task.error.unwrap().message,
            "cancelled by `operator`: enough"
        );
    }
}

#[test]
fn a_held_task_is_asked_to_stop_once() {
    for task in [assigned(), running()] {
        let before = task.status();
        let task = change(&task, cancel(), at(50));
        assert_eq!(task.status(), before);
        assert_eq!(task.cancel_requested.as_ref().unwrap().at, at(50));
        assert!(is_unchanged(&task, cancel(), at(60)));
    }
}

#[test]
fn an_ended_task_cannot_be_cancelled_and_a_cancelled_one_need_not() {
    assert!(decide(&completed(), cancel(), at(50)).is_err());
    assert!(decide(&failed(), cancel(), at(50)).is_err());
    assert!(is_unchanged(&cancelled(), cancel(), at(50)));
}

#[test]
fn whatever_ends_the_attempt_of_a_stopping_task_cancels_it() {
    let task = stopping();
    let commands = [
        Command::ConfirmCancel(held(&task)),
        fail(&task, ErrorType::Network),
        Command::Release {
            held: held(&task),
            reason: String::new(),
        },
        lose(1, LeaseLoss::Superseded),
    ];
    for command in commands {
        let next = change(&task, command, at(50));
        assert_eq!(next.status(), Status::Cancelled);
        assert_eq!(
            next.error.unwrap().message,
            "cancelled by `operator`: enough"
        );
    }
}

#[test]
fn an_agent_that_is_faster_than_a_cancellation_has_completed() {
    let task = stopping();
    let task = change(&task, Command::Complete(held(&task)), at(50));
    assert_eq!(task.status(), Status::Completed);
}

#[test]
fn an_attempt_that_times_out_while_it_is_to_stop_is_cancelled() {
    let mut new = wish();
    new.timeout_ms = Some(1_000);
    new.retry = Arc::new(RetryConfig::default());
    let task = change(&create(&new), assign("a"), at(10));
    let task = change(&task, Command::Start(held(&task)), at(20));
    let task = change(&task, cancel(), at(30));
    let task = change(&task, tick(at(90_000)), at(1_020));
    assert_eq!(task.status(), Status::Cancelled);
}

#[test]
fn a_withdrawn_cancellation_gives_a_stopped_task_back() {
    let task = change(&stopping(), Command::Replay, at(40));
    assert_eq!(
        (task.status(), &task.cancel_requested),
        (Status::Running, &None)
    );
    let task = change(&task, Command::ConfirmCancel(held(&task)), at(50));
    assert_eq!(task.status(), Status::Pending);
}

#[test]
fn a_replay_gives_fresh_retries_and_keeps_counting_attempts() {
    for task in [failed(), cancelled()] {
        let next = change(&task, Command::Replay, at(100));
        assert_eq!((next.status(), next.retry_count), (Status::Pending, 0));
        assert_eq!(next.attempt, task.attempt);
        assert_eq!((next.completed_at, &next.cancel_requested), (None, &None));
    }
}

#[test]
fn a_replay_begins_at_the_beginning_and_keeps_what_the_attempts_say() {
    let report = Progress {
        percent: 80.0,
        message: Some("nearly there".to_owned()),
        counters: vec![(Name::parse("records").unwrap(), 8)],
    };
    let task = running();
    let task = change(
        &task,
        Command::Report {
            held: held(&task),
            progress: report,
        },
        at(30),
    );
    let task = change(&task, cancel(), at(40));
    let task = change(&task, Command::ConfirmCancel(held(&task)), at(50));
    assert_eq!(task.status(), Status::Cancelled);
    let next = change(&task, Command::Replay, at(100));
    assert_eq!(
        (&next.progress, next.started_at),
        (&Progress::default(), None)
    );
    assert_eq!(next.attempts, task.attempts);
}

#[test]
fn a_replay_lets_a_waiting_retry_begin_at_once() {
    let task = change(&retrying(), Command::Replay, at(100));
    assert_eq!(task.ready_at(), Some(at(100)));
    assert_eq!(task.retry_count, 1);
}

#[test]
fn a_replay_drops_a_deadline_that_has_passed_and_keeps_another() {
    let mut new = wish();
    new.deadline = Some(at(1_000));
    let task = change(&create(&new), cancel(), at(50));
    assert_eq!(
        change(&task, Command::Replay, at(999)).deadline,
        Some(at(1_000))
    );
    assert_eq!(change(&task, Command::Replay, at(1_000)).deadline, None);
}

#[test]
fn tasks_that_wait_run_or_are_completed_cannot_be_replayed() {
    for task in [create(&wish()), assigned(), running(), completed()] {
        let refused = refusal(&task, Command::Replay, at(50));
        assert!(matches!(refused, Rejection::InvalidTransition { .. }));
    }
}

#[test]
fn a_dead_dependency_cancels_who_waits_for_it_and_nobody_else() {
    let other = TaskId::parse("other").unwrap();
    let dead = Command::CancelForDependency {
        dependency: other.clone(),
    };
    assert!(is_unchanged(&create(&wish()), dead.clone(), at(50)));
    let mut new = wish();
    new.dependencies = vec![other];
    let task = create(&new);
    let next = change(&task, dead.clone(), at(50));
    assert_eq!(next.status(), Status::Cancelled);
    assert_eq!(
        next.error.unwrap().message,
        "dependency `other` will not complete"
    );
    let held = change(&task, assign("a"), at(50));
    assert!(is_unchanged(&held, dead, at(60)));
}

#[test]
fn a_waiting_task_is_delegated_and_delegating_it_again_changes_nothing() {
    let target = Some(AgentId::parse("a").unwrap());
    let delegate = || Command::Delegate {
        target: target.clone(),
    };
    let task = change(&create(&wish()), delegate(), at(50));
    assert_eq!(task.target, target);
    assert!(is_unchanged(&task, delegate(), at(60)));
    for task in [assigned(), running(), completed(), failed(), cancelled()] {
        assert!(decide(&task, delegate(), at(60)).is_err());
    }
}

#[test]
fn only_a_waiting_task_can_be_updated() {
    for task in in_every_state() {
        let changes = Changes {
            priority: Some(5),
            now: at(50),
            ..Changes::default()
        };
        let outcome = decide(&task, Command::Update(changes), at(50));
        let waiting = matches!(task.status(), Status::Pending | Status::Retry);
        assert_eq!(outcome.is_ok(), waiting, "{:?}", task.status());
    }
}

#[test]
fn an_update_changes_what_it_names_and_says_so() {
    let task = create(&wish());
    let changes = Changes {
        run_at: Some(Some(at(900))),
        capabilities: Some(vec![name("write"), name("read"), name("read")]),
        now: at(50),
        ..Changes::default()
    };
    let decided = decision(&task, Command::Update(changes), at(50));
    assert_eq!(decided.events[0].kind, Kind::TaskUpdated);
    let next = decided.task.unwrap();
    assert_eq!(next.run_at, Some(at(900)));
    assert_eq!(*next.capabilities, [name("read"), name("write")]);
    assert_eq!(next.priority, task.priority);
}

#[test]
fn an_update_lists_every_fault() {
    let changes = Changes {
        priority: Some(9_999),
        timeout_ms: Some(Some(0)),
        deadline: Some(Some(at(10))),
        capabilities: Some(Vec::new()),
        dependencies: Some(vec![TaskId::parse("t").unwrap()]),
        now: at(50),
        ..Changes::default()
    };
    let Rejection::Invalid { faults } = refusal(&create(&wish()), Command::Update(changes), at(50))
    else {
        panic!("faults are expected");
    };
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/priority",
            "/timeout_ms",
            "/deadline",
            "/dependencies/0",
            "/capabilities"
        ]
    );
}
