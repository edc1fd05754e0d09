//! What is checked of a registration and of changes to it.

use super::*;
use crate::limits::{CONCURRENCY_DEFAULT, CONCURRENCY_MAX, TITLE_CHARS_MAX};

fn codes(faults: &[crate::Fault]) -> Vec<(&str, &'static str)> {
    let faults = faults.iter();
    faults
        .map(|fault| (fault.pointer.as_str(), fault.code))
        .collect()
}

#[test]
fn all_faults_of_a_registration_are_listed() {
    let wrong = Registration {
        name: " ".to_owned(),
        capabilities: Vec::new(),
        concurrency: Some(CONCURRENCY_MAX + 1),
        version: Some("v".repeat(TITLE_CHARS_MAX + 1)),
        endpoint_url: Some("ftp://example.org".to_owned()),
        health_check_url: Some("http://exa mple.org".to_owned()),
        ..registration()
    };
    let expected = [
        ("/name", "empty"),
        ("/capabilities", "empty"),
        ("/concurrency", "out_of_range"),
        ("/version", "too_long"),
        ("/endpoint_url", "not_a_url"),
        ("/health_check_url", "not_a_url"),
    ];
    assert_eq!(codes(&wrong.faults()), expected);
    let namespace = Namespace::default_namespace();
    let refused = register(None, wrong, &namespace, session("s"), at(0)).unwrap_err();
    let Rejection::Invalid { faults } = refused else {
        panic!("faults are expected");
    };
    assert_eq!(codes(&faults), expected);
}

#[test]
fn an_agent_that_does_not_say_has_the_usual_slots() {
    let silent = Registration {
        concurrency: None,
        ..registration()
    };
    let namespace = Namespace::default_namespace();
    let decided = register(None, silent, &namespace, session("s"), at(0)).unwrap();
    assert_eq!(decided.agent.unwrap().concurrency, CONCURRENCY_DEFAULT);
}

#[test]
fn a_change_names_what_it_changes_and_counts_as_one() {
    let mut first = agent();
    first.endpoint_url = Some("http://127.0.0.1:9".to_owned());
    let changes = Changes {
        concurrency: Some(7),
        endpoint_url: Some(None),
        ..Changes::default()
    };
    let next = change(&first, Command::Update(changes), at(10));
    assert_eq!((next.concurrency, &next.endpoint_url), (7, &None));
    assert_eq!((next.settings_revision, &next.name), (2, &first.name));
}

#[test]
fn all_faults_of_a_change_are_listed_and_nothing_changes() {
    let changes = Changes {
        name: Some(String::new()),
        concurrency: Some(0),
        endpoint_url: Some(Some("nonsense".to_owned())),
        ..Changes::default()
    };
    let refused = decide(&agent(), Command::Update(changes), at(10)).unwrap_err();
    let Rejection::Invalid { faults } = refused else {
        panic!("faults are expected");
    };
    let expected = [
        ("/name", "empty"),
        ("/concurrency", "out_of_range"),
        ("/endpoint_url", "not_a_url"),
    ];
    assert_eq!(codes(&faults), expected);
}
