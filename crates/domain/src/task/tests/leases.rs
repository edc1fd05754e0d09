//! Granting, holding, losing and proving a lease.

use super::*;
use crate::{limits::DELIVERY_GRACE_MS, task::Progress, task::decide::UNSTARTED_DELIVERIES_MAX};

/// Every command that needs the lease.
fn held_commands(held: Held) -> Vec<Command> {
    vec![
        Command::Start(held),
        Command::Report {
            held,
            progress: Progress::default(),
        },
        Command::Attach(held),
        Command::Complete(held),
        Command::Fail {
            held,
            error: error(ErrorType::Network),
            random: 0,
        },
        Command::Release {
            held,
            reason: "busy".to_owned(),
        },
        Command::ConfirmCancel(held),
    ]
}

#[test]
fn an_assignment_grants_a_lease_with_the_next_attempt() {
    let task = assigned();
    let lease = task.lease().unwrap();
    assert_eq!((task.attempt, lease.attempt), (1, 1));
    assert_eq!(lease.expires_at, at(10).plus_ms(LEASE_TTL_MS));
    assert_eq!(task.last_agent().unwrap().as_str(), "a");
}

#[test]
fn only_a_waiting_task_can_be_assigned() {
    for task in in_every_state() {
        let waiting = matches!(task.status(), Status::Pending | Status::Retry);
        let outcome = decide(&task, assign("b"), at(100_000));
        assert_eq!(outcome.is_ok(), waiting, "{:?}", task.status());
    }
}

#[test]
fn a_task_is_not_assigned_before_its_time_or_after_its_deadline() {
    let mut new = wish();
    new.run_at = Some(at(500));
    new.deadline = Some(at(1_000));
    let task = create(&new);
    assert!(decide(&task, assign("a"), at(499)).is_err());
    assert!(decide(&task, assign("a"), at(500)).is_ok());
    assert!(decide(&task, assign("a"), at(1_000)).is_err());
}

#[test]
fn a_retry_is_not_assigned_before_its_delay_is_over() {
    let task = retrying();
    assert!(decide(&task, assign("a"), at(1_039)).is_err());
    assert!(decide(&task, assign("a"), at(1_040)).is_ok());
}

#[test]
fn a_wrong_token_is_stale_in_every_state() {
    for task in in_every_state() {
        let nonce = task.attempts.last().map_or(0, |last| last.nonce);
        let wrong = [
            Proof {
                attempt: task.attempt + 1,
                nonce,
            },
            Proof {
                attempt: task.attempt.wrapping_sub(1),
                nonce,
            },
            Proof {
                attempt: task.attempt,
                nonce: nonce + 1,
            },
        ];
        for proof in wrong {
            for command in held_commands(shows(proof)) {
                let refused = refusal(&task, command, at(50));
                assert!(
                    matches!(refused, Rejection::StaleLease { .. }),
                    "{refused:?}"
                );
            }
        }
    }
}

#[test]
fn an_expired_lease_says_when_it_expired_and_changes_nothing() {
    let task = running();
    let end = at(10).plus_ms(LEASE_TTL_MS);
    for command in held_commands(held(&task)) {
        assert!(decide(&task, command, end.minus_ms(1)).is_ok());
    }
    for command in held_commands(held(&task)) {
        let refused = refusal(&task, command, end);
        assert_eq!(refused, Rejection::LeaseExpired { expired_at: end });
    }
}

#[test]
fn heartbeats_keep_a_lease() {
    let task = running();
    let kept = held_until(&task, at(90_000));
    assert!(decide(&task, Command::Complete(kept), at(89_999)).is_ok());
    assert!(decide(&task, Command::Complete(kept), at(90_000)).is_err());
}

#[test]
fn the_winner_may_repeat_itself_and_nobody_else_may() {
    let task = completed();
    let winner = Proof {
        attempt: 1,
        nonce: 7,
    };
    assert!(is_unchanged(
        &task,
        Command::Complete(shows(winner)),
        at(99_999_999)
    ));
    let stranger = Proof {
        attempt: 1,
        nonce: 8,
    };
    assert!(decide(&task, Command::Complete(shows(stranger)), at(50)).is_err());
    assert!(decide(&task, Command::Start(shows(winner)), at(50)).is_err());
}

#[test]
fn a_start_said_twice_changes_once() {
    let task = running();
    assert!(is_unchanged(&task, Command::Start(held(&task)), at(25)));
}

#[test]
fn a_report_begins_an_assigned_task_and_progress_never_falls() {
    let task = assigned();
    let report = |task: &Task, percent| Command::Report {
        held: held(task),
        progress: Progress {
            percent,
            ..Progress::default()
        },
    };
    let task = change(&task, report(&task, 60.0), at(30));
    assert_eq!(
        (task.status(), task.started_at),
        (Status::Running, Some(at(30)))
    );
    let task = change(&task, report(&task, 20.0), at(40));
    assert_eq!(task.progress.percent, 60.0);
}

#[test]
fn a_stored_file_changes_the_revision_alone() {
    let task = running();
    let next = change(&task, Command::Attach(held(&task)), at(40));
    let expected = Task {
        revision: task.revision + 1,
        updated_at: at(40),
        ..task
    };
    assert_eq!(next, expected);
}

#[test]
fn a_lost_lease_of_a_running_task_uses_up_a_retry_whatever_the_policy_retries() {
    let task = running();
    let lost = lose(1, LeaseLoss::Superseded);
    let task = change(&task, lost, at(50));
    assert_eq!((task.status(), task.retry_count), (Status::Retry, 1));
    assert_eq!(task.ready_at(), Some(at(50)));
}

#[test]
fn a_lost_lease_of_an_unstarted_task_costs_nothing() {
    let task = assigned();
    let lost = lose(1, LeaseLoss::Unregistered);
    let task = change(&task, lost, at(50));
    assert_eq!((task.status(), task.retry_count), (Status::Pending, 0));
    assert_eq!(task.unstarted, 1);
}

#[test]
fn the_loss_of_another_attempt_changes_nothing() {
    for task in in_every_state() {
        let lost = lose(task.attempt + 1, LeaseLoss::Superseded);
        assert!(is_unchanged(&task, lost, at(50)));
    }
}

#[test]
fn the_loss_of_another_session_with_the_same_attempt_changes_nothing() {
    for task in in_every_state() {
        let lost = Command::LoseLease {
            session: SessionId::parse("another").unwrap(),
            attempt: task.attempt,
            cause: LeaseLoss::Superseded,
        };
        assert!(is_unchanged(&task, lost, at(50)));
    }
}

#[test]
fn an_undelivered_task_goes_back_only_after_the_answer_had_time_to_arrive() {
    let task = assigned();
    let undelivered = || lose(1, LeaseLoss::Undelivered);
    let end = at(10).plus_ms(DELIVERY_GRACE_MS);
    assert!(is_unchanged(&task, undelivered(), end.minus_ms(1)));
    assert_eq!(change(&task, undelivered(), end).status(), Status::Pending);
}

#[test]
fn a_task_that_nobody_ever_begins_fails_in_the_end() {
    let mut task = create(&wish());
    let mut deliveries = 0;
    while !task.status().is_terminal() {
        task = change(&task, assign("a"), at(100));
        deliveries += 1;
        let lost = lose(task.attempt, LeaseLoss::Superseded);
        task = change(&task, lost, at(100));
    }
    assert_eq!(task.status(), Status::Failed);
    assert_eq!(deliveries, UNSTARTED_DELIVERIES_MAX + 1);
}

#[test]
fn a_start_forgives_deliveries_that_were_never_begun() {
    let mut task = create(&wish());
    for _ in 0..3 {
        task = change(&task, assign("a"), at(100));
        let attempt = task.attempt;
        let cause = LeaseLoss::Superseded;
        task = change(&task, lose(attempt, cause), at(100));
    }
    assert_eq!(task.unstarted, 3);
    task = change(&task, assign("a"), at(100));
    task = change(&task, Command::Start(held(&task)), at(100));
    assert_eq!(task.unstarted, 0);
}

#[test]
fn a_clock_that_was_set_back_does_not_bring_a_document_back_in_time() {
    let task = running();
    let next = change(&task, Command::Complete(held(&task)), at(-5_000));
    assert_eq!(next.updated_at, task.updated_at);
}

/// A clock that was a year ahead gave these; it is right now.
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

#[test]
fn a_lease_that_a_wrong_clock_gave_ends_soon_after_the_clock_is_right() {
    let task = create(&wish());
    let task = change(&task, assign("a"), at(YEAR_MS));
    let dead = Command::Tick { alive_until: at(0) };
    let back = change(&task, dead.clone(), at(0));
    assert_eq!(
        back.lease().unwrap().expires_at,
        at(0).plus_ms(LEASE_TTL_MS)
    );
    assert_eq!(back.lease().unwrap().proof(), task.lease().unwrap().proof());
    assert_eq!(back.updated_at, at(0));
    let lease_ms = i64::try_from(LEASE_TTL_MS).unwrap();
    let lost = change(&back, dead, at(lease_ms));
    assert_eq!(lost.status(), Status::Pending);
}

#[test]
fn whoever_works_on_goes_on_when_a_wrong_clock_is_put_right() {
    let task = change(&create(&wish()), assign("a"), at(YEAR_MS));
    let task = change(&task, Command::Start(held(&task)), at(YEAR_MS + 5_000));
    let done = change(&task, Command::Complete(held(&task)), at(0));
    assert_eq!(done.status(), Status::Completed);
    assert_eq!(done.completed_at, Some(at(0)));
    assert!(done.started_at.unwrap() <= at(0));
}

#[test]
fn a_retry_that_a_wrong_clock_set_comes_as_soon_as_it_was_meant_to() {
    let task = change(&create(&wish()), assign("a"), at(YEAR_MS));
    let fail = Command::Fail {
        held: held(&task),
        error: TaskError::new(ErrorType::Network, "no route"),
        random: 0,
    };
    let waiting = change(&task, fail, at(YEAR_MS));
    let delay = waiting.ready_at().unwrap().ms_since(at(YEAR_MS));
    assert!(delay > 0);
    let tick = Command::Tick { alive_until: at(0) };
    let back = change(&waiting, tick, at(0));
    assert_eq!(back.ready_at(), Some(at(0).plus_ms(delay)));
}
