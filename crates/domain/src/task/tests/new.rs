//! What is checked of a new task.

use super::*;
use crate::{
    Payload,
    limits::{CAPABILITIES_MAX, DEPENDENCIES_MAX, PAYLOAD_BYTES_MAX, TIMEOUT_MS_MAX},
};

fn pointers(new: &NewTask) -> Vec<(String, &'static str)> {
    let faults = new.faults(at(0)).into_iter();
    faults.map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn a_usual_task_has_no_fault_and_begins_pending() {
    assert_eq!(pointers(&wish()), []);
    let task = create(&wish());
    assert_eq!(
        (task.revision, task.status(), task.attempt),
        (1, Status::Pending, 0)
    );
    assert_eq!(*task.capabilities, [name("weigh")]);
}

#[test]
fn capabilities_are_sorted_and_named_once() {
    let mut new = wish();
    new.capabilities = vec![name("b"), name("a"), name("b")];
    assert_eq!(*create(&new).capabilities, [name("a"), name("b")]);
}

#[test]
fn all_faults_are_listed_with_their_places() {
    let mut new = wish();
    new.priority = -1_001;
    new.timeout_ms = Some(TIMEOUT_MS_MAX + 1);
    new.run_at = Some(at(500));
    new.deadline = Some(at(400));
    let other = TaskId::parse("other").unwrap();
    new.dependencies = vec![other.clone(), new.id.clone(), other];
    new.capabilities = (0..=CAPABILITIES_MAX)
        .map(|n| name(&format!("c{n}")))
        .collect();
    new.retry = Arc::new(RetryConfig {
        max_retries: 1_000_000,
        ..RetryConfig::default()
    });
    let found = pointers(&new);
    let expected = [
        ("/priority", "out_of_range"),
        ("/timeout_ms", "out_of_range"),
        ("/deadline", "before_run_at"),
        ("/dependencies/1", "dependency_cycle"),
        ("/dependencies/2", "repeated"),
        ("/capabilities", "too_many"),
        ("/retry_config/maxRetries", "out_of_range"),
    ];
    let expected: Vec<(String, &str)> = expected
        .map(|(pointer, code)| (pointer.to_owned(), code))
        .to_vec();
    assert_eq!(found, expected);
}

#[test]
fn a_deadline_in_the_past_is_a_fault() {
    let mut new = wish();
    new.deadline = Some(at(0));
    assert_eq!(pointers(&new), [("/deadline".to_owned(), "in_the_past")]);
}

#[test]
fn large_things_belong_into_artifacts() {
    let mut new = wish();
    let text = "x".repeat(PAYLOAD_BYTES_MAX);
    new.parameters = Payload::of(&text).unwrap();
    new.metadata = Some(new.parameters.clone());
    let codes = [("/parameters", "too_large"), ("/metadata", "too_large")];
    let expected: Vec<(String, &str)> = codes
        .map(|(pointer, code)| (pointer.to_owned(), code))
        .to_vec();
    assert_eq!(pointers(&new), expected);
}

#[test]
fn too_many_dependencies_are_one_fault() {
    let mut new = wish();
    new.dependencies = (0..=DEPENDENCIES_MAX)
        .map(|n| TaskId::parse(&format!("d{n}")).unwrap())
        .collect();
    assert_eq!(pointers(&new), [("/dependencies".to_owned(), "too_many")]);
}
