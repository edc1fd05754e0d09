//! What time does: deadlines, timeouts, leases and graces that run out.

use super::*;
use crate::{limits::CANCEL_GRACE_MS, task::Outcome};

#[test]
fn nothing_is_due_for_a_task_that_waits_without_a_deadline_or_has_ended() {
    for task in [
        create(&wish()),
        retrying(),
        completed(),
        failed(),
        cancelled(),
    ] {
        assert_eq!(task.next_due(Timestamp::ZERO), None);
        assert!(is_unchanged(&task, tick(Timestamp::ZERO), at(99_999_999)));
    }
}

#[test]
fn a_tick_before_its_time_changes_nothing() {
    let task = running();
    let due = task.next_due(Timestamp::ZERO).unwrap();
    assert!(is_unchanged(&task, tick(Timestamp::ZERO), due.minus_ms(1)));
    assert!(decision(&task, tick(Timestamp::ZERO), due).task.is_some());
}

#[test]
fn a_passed_deadline_fails_the_task_wherever_it_is() {
    let mut new = wish();
    new.deadline = Some(at(1_000));
    let pending = create(&new);
    let assigned = change(&pending, assign("a"), at(10));
    let running = change(&assigned, Command::Start(held(&assigned)), at(20));
    for task in [pending, assigned, running] {
        let next = change(&task, tick(at(90_000)), at(1_000));
        assert_eq!(next.status(), Status::Failed);
        assert_eq!(next.error.unwrap().kind, ErrorType::Timeout);
        assert!(
            next.attempts
                .iter()
                .all(|each| each.outcome == Some(Outcome::TimedOut))
        );
    }
}

#[test]
fn a_silent_agent_loses_its_lease_when_it_expires() {
    let task = running();
    let due = at(10).plus_ms(LEASE_TTL_MS);
    assert_eq!(task.next_due(Timestamp::ZERO), Some(due));
    let next = change(&task, tick(Timestamp::ZERO), due);
    assert_eq!((next.status(), next.retry_count), (Status::Retry, 1));
    assert_eq!(
        next.attempts.last().unwrap().outcome,
        Some(Outcome::LeaseLost)
    );
}

#[test]
fn a_heard_agent_keeps_its_lease() {
    let task = running();
    let due = at(10).plus_ms(LEASE_TTL_MS);
    assert!(is_unchanged(&task, tick(due.plus_ms(5_000)), due));
    assert_eq!(task.next_due(due.plus_ms(5_000)), Some(due.plus_ms(5_000)));
}

#[test]
fn an_attempt_that_takes_too_long_times_out_from_its_start() {
    let mut new = wish();
    new.timeout_ms = Some(500);
    let assigned = change(&create(&new), assign("a"), at(10));
    assert_eq!(
        assigned.next_due(at(90_000)),
        Some(at(90_000)),
        "it has not begun"
    );
    let task = change(&assigned, Command::Start(held(&assigned)), at(100));
    assert_eq!(task.next_due(at(90_000)), Some(at(600)));
    let next = change(&task, tick(at(90_000)), at(600));
    assert_eq!(
        next.status(),
        Status::Failed,
        "the policy does not retry timeouts"
    );
    assert_eq!(
        next.attempts.last().unwrap().outcome,
        Some(Outcome::TimedOut)
    );
}

#[test]
fn a_timeout_is_retried_where_the_policy_says_so() {
    let mut new = wish();
    new.timeout_ms = Some(500);
    new.retry = Arc::new(RetryConfig::default());
    let task = change(&create(&new), assign("a"), at(10));
    let task = change(&task, Command::Start(held(&task)), at(10));
    let next = change(&task, tick(at(90_000)), at(510));
    assert_eq!((next.status(), next.retry_count), (Status::Retry, 1));
}

#[test]
fn a_cancellation_is_not_waited_for_for_ever() {
    let task = stopping();
    let due = at(30).plus_ms(CANCEL_GRACE_MS);
    assert_eq!(task.next_due(at(90_000)), Some(due));
    assert!(is_unchanged(&task, tick(at(90_000)), due.minus_ms(1)));
    let next = change(&task, tick(at(90_000)), due);
    assert_eq!(next.status(), Status::Cancelled);
    assert_eq!(
        next.error.unwrap().message,
        "cancelled by `operator`: enough"
    );
}
