use super::*;
use crate::{
    Rejection, event,
    task::{Filter, Search, Status as TaskStatus},
};

fn failed_ones() -> Search {
    Filter {
        statuses: vec![TaskStatus::Failed],
        ..Filter::default()
    }
    .into()
}

fn wish(search: Search, all: bool) -> NewOperation {
    NewOperation {
        id: OperationId::parse("op_1").unwrap(),
        kind: Kind::Retry,
        search,
        all,
        reason: None,
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn make(new: NewOperation) -> Result<Operation, Rejection> {
    let matched = Matched {
        tasks: 10,
        more: false,
    };
    let made = create(new, matched, &Namespace::default_namespace(), "me", at(5));
    made.map(|decision| decision.operation.unwrap())
}

fn running() -> Operation {
    make(wish(failed_ones(), false)).unwrap()
}

fn step(done: u64, cursor: Option<&str>) -> Command {
    Command::Advance(Step {
        done,
        skipped: 1,
        failed: 0,
        cursor: cursor.map(|id| Cursor {
            created_at: at(3),
            id: id.to_owned(),
        }),
    })
}

#[test]
fn nobody_means_every_task_by_accident() {
    let Err(Rejection::Invalid { faults }) = make(wish(Search::default(), false)) else {
        panic!("an empty filter is refused");
    };
    assert_eq!(faults[0].code, "empty_filter");
    assert!(make(wish(Search::default(), true)).is_ok());
    let text = Search {
        text: Some("x".to_owned()),
        ..Search::default()
    };
    assert!(make(wish(text, false)).is_ok());
}

#[test]
fn all_faults_are_told_at_once() {
    let mut new = wish(Search::default(), false);
    new.search.text = Some(String::new());
    new.reason = Some("x".repeat(crate::limits::TEXT_CHARS_MAX + 1));
    let Err(Rejection::Invalid { faults }) = make(new) else {
        panic!("it is refused");
    };
    let pointers: Vec<&str> = faults.iter().map(|each| each.pointer.as_str()).collect();
    assert_eq!(pointers, ["/filter/text", "/reason"]);
}

#[test]
fn steps_add_up_until_the_list_ends() {
    let first = decide(&running(), step(4, Some("task_5")), at(6)).unwrap();
    let operation = first.operation.unwrap();
    assert_eq!((operation.done, operation.skipped), (4, 1));
    assert_eq!(operation.revision, 2);
    assert_eq!(operation.cursor.as_ref().unwrap().id, "task_5");
    assert!((operation.progress() - 50.0).abs() < 1e-9);
    let last = decide(&operation, step(3, None), at(7)).unwrap();
    assert_eq!(last.events[0].kind, event::Kind::OperationCompleted);
    let operation = last.operation.unwrap();
    assert_eq!(operation.status, Status::Completed);
    assert_eq!(operation.handled(), 9);
    assert_eq!(operation.completed_at, Some(at(7)));
    assert!((operation.progress() - 100.0).abs() < 1e-9);
}

#[test]
fn what_has_ended_goes_no_further() {
    let abort = || Command::Abort {
        by: "me".to_owned(),
    };
    let aborted = decide(&running(), abort(), at(6)).unwrap();
    let aborted = aborted.operation.unwrap();
    assert_eq!(aborted.status, Status::Aborted);
    assert!(decide(&aborted, step(1, None), at(7)).is_err());
    assert!(
        decide(&aborted, abort(), at(7))
            .unwrap()
            .operation
            .is_none()
    );
    let why = "no room".to_owned();
    let failed = decide(&running(), Command::Fail { why }, at(6)).unwrap();
    assert_eq!(failed.events[0].kind, event::Kind::OperationFailed);
    assert!(decide(&failed.operation.unwrap(), abort(), at(7)).is_err());
}

#[test]
fn tasks_that_come_later_are_left_alone() {
    let mut operation = running();
    assert_eq!(operation.tasks().filter.created_before, Some(at(6)));
    operation.search.filter.created_before = Some(at(2));
    assert_eq!(operation.tasks().filter.created_before, Some(at(2)));
    operation.search.filter.created_before = Some(at(99));
    assert_eq!(operation.tasks().filter.created_before, Some(at(6)));
}

#[test]
fn progress_is_honest_when_more_are_found_than_were_counted() {
    let mut operation = running();
    operation.done = 500;
    assert!((operation.progress() - 99.0).abs() < 1e-9);
    operation.matched = Matched::default();
    operation.done = 0;
    assert!(operation.progress().abs() < 1e-9);
}

#[test]
fn only_tasks_that_can_be_helped_are_gone_through() {
    let statuses = |kind: Kind, named: &[TaskStatus]| {
        let search = Search::from(Filter {
            statuses: named.to_vec(),
            ..Filter::default()
        });
        kind.narrow(search).filter.statuses
    };
    assert_eq!(
        statuses(Kind::Retry, &[]),
        [TaskStatus::Failed, TaskStatus::Cancelled]
    );
    assert_eq!(statuses(Kind::Cancel, &[]).len(), 4);
    let named = [TaskStatus::Retry, TaskStatus::Completed];
    assert_eq!(statuses(Kind::Retry, &named), [TaskStatus::Retry]);
    let done = Filter {
        statuses: vec![TaskStatus::Completed],
        ..Filter::default()
    };
    let Err(Rejection::Invalid { faults }) = make(wish(done.into(), false)) else {
        panic!("there is nothing to do");
    };
    assert_eq!(faults[0].code, "nothing_to_do");
}
