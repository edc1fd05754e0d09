//! Finding tasks by a text, and telling errors apart.

use crate::{
    Payload,
    retry::ErrorType,
    task::{Needle, TaskError, fingerprint},
};

use super::{create, wish};

fn says(parameters: &str, text: &str) -> bool {
    Needle::new(text).is_in_payload(&Payload::parse(parameters).unwrap())
}

#[test]
fn case_does_not_matter() {
    assert!(says(r#"{"text":"I feel Anxious"}"#, "feel anx"));
    assert!(says(r#"{"text":"ÄNGSTLICH"}"#, "ängst"));
    assert!(says(r#"{"Language":"de"}"#, "language"));
    assert!(!says(r#"{"text":"calm"}"#, "anxious"));
}

#[test]
fn escapes_do_not_hide_what_is_said() {
    assert!(says(r#"{"text":"\u00e4ngstlich"}"#, "ängstlich"));
    assert!(says(r#"{"text":"he said \"no\""}"#, "said \"no\""));
    assert!(says(r#"{"list":[1,{"deep":"caf\u00e9"}]}"#, "CAFÉ"));
    assert!(says(r#"{"text":"\\","n":42}"#, "42"));
}

#[test]
fn the_ends_of_a_text_are_looked_at() {
    assert!(says(r#"{"a":1}"#, "}"));
    assert!(says(r#"{"a":1}"#, "{"));
    assert!(!says(r#"{}"#, "{}x"));
}

#[test]
fn a_task_is_found_by_id_type_and_error() {
    let mut task = create(&wish());
    task.error = Some(TaskError::new(ErrorType::ExternalService, "No Answer"));
    let id = task.id.as_str().to_uppercase();
    for text in [
        id.as_str(),
        task.task_type.as_str(),
        "no answer",
        "external_serv",
    ] {
        assert!(Needle::new(text).is_in_task(&task), "{text}");
    }
    assert!(!Needle::new("something else").is_in_task(&task));
}

#[test]
fn fingerprints_leave_out_what_differs() {
    for (message, expected) in [
        ("timeout after 30 s", "timeout after # s"),
        ("no file `a b.csv` in \"x\"", "no file # in #"),
        ("lease lost:\n  why", "lease lost: why"),
        ("task_01jgk3v8 (code=E42)", "# (code=#)"),
        ("an unclosed ` quote", "an unclosed #"),
        ("", ""),
        ("ä ö 1", "ä ö #"),
    ] {
        assert_eq!(fingerprint(message), expected);
    }
    let long = fingerprint(&"wörd ".repeat(1_000)).chars().count();
    assert!((100..=160).contains(&long), "{long}");
}
