use std::sync::Arc;

use super::*;
use crate::{
    AgentId, Name, SessionId, TaskId,
    retry::ErrorType,
    task::{Attempt, NewTask, State, Task, TaskError},
};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn task(id: &str) -> Task {
    let new = NewTask::of_type(TaskId::parse(id).unwrap(), Name::parse("work").unwrap());
    let by: Arc<str> = Arc::from("me");
    let made = new.create(&Namespace::default_namespace(), &by, at(1_000));
    made.task.unwrap()
}

fn ended(task: &Task, state: State, started: i64, ended: i64) -> Task {
    let mut next = task.clone();
    next.attempts.push(Attempt {
        number: 1,
        nonce: 0,
        agent_id: AgentId::parse("a").unwrap(),
        session: SessionId::parse("s").unwrap(),
        assigned_at: at(started),
        started_at: Some(at(started)),
        ended_at: Some(at(ended)),
        outcome: None,
        error: None,
    });
    next.started_at = Some(at(started));
    next.completed_at = Some(at(ended));
    next.state = state;
    next
}

fn failed(id: &str, message: &str, when: i64) -> (Task, Task) {
    let new = task(id);
    let mut end = ended(&new, State::Failed, 2_000, when);
    end.error = Some(TaskError::new(ErrorType::Network, message));
    (new, end)
}

#[test]
fn a_minute_begins_where_the_clock_says() {
    assert_eq!(minute_of(at(0)), at(0));
    assert_eq!(minute_of(at(59_999)), at(0));
    assert_eq!(minute_of(at(60_000)), at(60_000));
    assert_eq!(minute_of(at(1_700_000_012_345)), at(1_699_999_980_000));
}

#[test]
fn a_life_is_counted_once() {
    let new = task("t");
    let done = ended(&new, State::Completed, 1_400, 2_000);
    let mut activity = Activity::default();
    activity.record(None, &new);
    activity.record(Some(&new), &done);
    // A change of something else about it.
    activity.record(Some(&done), &done);
    assert_eq!((activity.created, activity.completed), (1, 1));
    assert_eq!(activity.wait.percentile(50), Some(416));
    assert_eq!(activity.wait.count(), 1);
    assert_eq!(activity.run.count(), 1);
}

#[test]
fn a_retry_is_one_when_it_uses_up_a_try() {
    let new = task("t");
    let mut waiting = new.clone();
    waiting.state = State::Retry { at: at(5_000) };
    waiting.retry_count = 1;
    let mut activity = Activity::default();
    activity.record(Some(&new), &waiting);
    let mut sooner = waiting.clone();
    sooner.state = State::Retry { at: at(4_000) };
    activity.record(Some(&waiting), &sooner);
    assert_eq!(activity.retried, 1);
}

#[test]
fn errors_that_differ_in_figures_are_one() {
    let mut activity = Activity::default();
    for (id, message, when) in [
        ("a", "record 17 of `x.csv` is too long", 3_000),
        ("b", "record 4711 of `y.csv` is too long", 9_000),
        ("c", "the connection was reset", 4_000),
        ("d", "record 5 of `z.csv` is too long", 5_000),
    ] {
        let (new, end) = failed(id, message, when);
        activity.record(Some(&new), &end);
    }
    assert_eq!(activity.failed, 4);
    assert_eq!(activity.errors.len(), 2);
    let first = &activity.errors[0];
    assert_eq!(first.message, "record # of # is too long");
    assert_eq!((first.count, first.last_task.as_str()), (3, "b"));
}

#[test]
fn errors_stay_bounded_whatever_callers_write() {
    let mut activity = Activity::default();
    let letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for one in letters {
        for other in letters {
            let (new, end) = failed("t", &format!("{one}{other}").repeat(300), 3_000);
            activity.record(Some(&new), &end);
        }
    }
    assert_eq!(activity.errors.len(), ERROR_GROUPS_MAX);
    let counted: u64 = activity.errors.iter().map(|each| each.count).sum();
    assert_eq!(counted + activity.other_errors, 49);
    assert!(activity.errors.iter().all(|each| each.message.len() <= 160));
}

#[test]
fn activities_add_up_in_any_order() {
    let mut whole = Activity::default();
    let mut parts = [Activity::default(), Activity::default()];
    for n in 0..10 {
        let (new, end) = failed(&format!("t{n}"), &format!("broken {n}"), 3_000 + n);
        let part = &mut parts[usize::from(n % 2 == 0)];
        part.record(None, &new);
        part.record(Some(&new), &end);
        whole.record(None, &new);
        whole.record(Some(&new), &end);
    }
    let [mut one, other] = parts;
    one.absorb(&other);
    assert_eq!(one, whole);
    assert!(Activity::default().is_empty() && !one.is_empty());
}

#[test]
fn errors_of_several_minutes_are_ranked() {
    let minute = |messages: &[(&str, i64)]| {
        let mut activity = Activity::default();
        for (message, when) in messages {
            let (new, end) = failed(&format!("t{when}"), message, *when);
            activity.record(Some(&new), &end);
        }
        activity
    };
    let one = minute(&[("rare", 1), ("often", 2)]);
    let two = minute(&[("often", 3), ("seldom", 4)]);
    let all = one.errors.iter().chain(&two.errors);
    let ranked = merge_errors(all, 2);
    let told: Vec<_> = ranked.iter().map(|each| each.message.as_str()).collect();
    assert_eq!(told, ["often", "seldom"]);
    assert_eq!((ranked[0].count, ranked[0].last_task.as_str()), (2, "t3"));
}
