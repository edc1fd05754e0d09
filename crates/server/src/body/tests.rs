use mcpanel_api::{
    agent::{Heartbeat, RegisterAgent},
    task::{NewTask, NewTasks, ReportProgress, UpdateTask},
};
use mcpanel_domain::limits::PAYLOAD_BYTES_MAX;

use super::*;
use crate::limits::{FAULTS_MAX, JSON_DEPTH_MAX};

/// Pointer and code of every fault.
fn faults<T: DeserializeOwned + ToSchema + 'static + std::fmt::Debug>(
    json: &str,
) -> Vec<(String, String)> {
    let problem = read::<T>(json.as_bytes()).unwrap_err().problem();
    assert_eq!(problem.code, "validation", "{problem}");
    problem
        .errors
        .into_iter()
        .map(|fault| (fault.pointer, fault.code))
        .collect()
}

/// Code and detail of a body that is no JSON.
fn malformed(bytes: &[u8]) -> (&'static str, String) {
    let error = read::<NewTask>(bytes).unwrap_err();
    (error.code().as_str(), error.problem().detail)
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn a_good_body_is_read_and_its_payload_kept_but_for_white_space() {
    let json = r#"{"task_type": "x", "parameters": {"b": 1.0,  "a": [ ]}, "priority": -1000, "deadline": "2026-01-02T04:04:05+01:00"}"#;
    let task: NewTask = read(json.as_bytes()).unwrap();
    assert_eq!(task.parameters.unwrap().as_str(), r#"{"b":1.0,"a":[]}"#);
    assert_eq!(task.priority, Some(-1000));
    assert_eq!(
        task.deadline.unwrap().to_string(),
        "2026-01-02T03:04:05.000Z"
    );
}

#[test]
fn every_fault_is_listed_with_its_pointer() {
    let json = r#"{
        "task_id": "../etc", "parameters": [], "priority": 5000, "capabilities": ["ok", "", 7, "a b"],
        "deadline": "tomorrow", "timeout_ms": 0, "max_retries": -1, "retry_config": {"backoffStrategy": "magic", "max_delay": 1},
        "agent_id": {}, "metadata": null, "colour": "red"
    }"#;
    let mut found = faults::<NewTask>(json);
    found.sort();
    let expected = [
        ("/agent_id", "wrong_type"),
        ("/capabilities/1", "empty"),
        ("/capabilities/2", "wrong_type"),
        ("/capabilities/3", "not_an_id"),
        ("/colour", "unknown_field"),
        ("/deadline", "not_a_time"),
        ("/max_retries", "out_of_range"),
        ("/parameters", "wrong_type"),
        ("/priority", "out_of_range"),
        ("/retry_config/backoffStrategy", "unknown_value"),
        ("/retry_config/max_delay", "unknown_field"),
        ("/task_id", "not_an_id"),
        ("/task_type", "required"),
        ("/timeout_ms", "out_of_range"),
    ];
    assert_eq!(found, pairs(&expected));
}

#[test]
fn messages_say_what_is_wrong_and_what_would_be_right() {
    let problem = read::<NewTask>(br#"{"task_type": "x", "priority": 5000, "agent_id": ".."}"#)
        .unwrap_err()
        .problem();
    let details: Vec<&str> = problem
        .errors
        .iter()
        .map(|fault| fault.detail.as_str())
        .collect();
    assert_eq!(details[0], "is 5000; must be from -1000 to 1000");
    assert!(
        details[1].starts_with("is `..`, which has `.` at character 1"),
        "{}",
        details[1]
    );
    assert_eq!(problem.detail, "2 faults; see `errors`");
}

#[test]
fn pointers_reach_into_batches() {
    let json =
        r#"{"tasks": [{"task_type": "x"}, {"task_type": "x", "dependencies": ["a", ""]}, {}]}"#;
    let expected = [
        ("/tasks/1/dependencies/1", "empty"),
        ("/tasks/2/task_type", "required"),
    ];
    assert_eq!(faults::<NewTasks>(json), pairs(&expected));
    assert_eq!(
        faults::<NewTasks>(r#"{"tasks": []}"#),
        pairs(&[("/tasks", "too_few")])
    );
    let many = format!(
        r#"{{"tasks": [{}]}}"#,
        vec![r#"{"task_type":"x"}"#; 1001].join(",")
    );
    assert_eq!(faults::<NewTasks>(&many), pairs(&[("/tasks", "too_many")]));
}

#[test]
fn names_in_pointers_are_escaped() {
    let json = r#"{"task_type": "x", "a/b~c": 1}"#;
    assert_eq!(
        faults::<NewTask>(json),
        pairs(&[("/a~1b~0c", "unknown_field")])
    );
}

#[test]
fn no_more_faults_are_listed_than_anybody_reads() {
    let json = format!(r#"{{"tasks": [{}]}}"#, vec!["{}"; 1000].join(","));
    assert_eq!(faults::<NewTasks>(&json).len(), FAULTS_MAX);
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    let json = r#"{"task_type": "x", "priority": 1, "task_type": "y"}"#;
    assert_eq!(
        faults::<NewTask>(json),
        pairs(&[("/task_type", "duplicate")])
    );
}

#[test]
fn other_json_than_an_object_is_refused_as_a_whole() {
    for json in ["[]", "7", "\"x\"", "null", "true", "1.5"] {
        assert_eq!(
            faults::<NewTask>(json),
            pairs(&[("", "wrong_type")]),
            "{json}"
        );
    }
}

#[test]
fn null_and_absence_differ_where_a_change_says_so() {
    let update: UpdateTask = read(br#"{"deadline": null}"#).unwrap();
    assert_eq!((update.deadline, update.run_at), (Some(None), None));
}

#[test]
fn an_absent_or_null_option_is_none() {
    let heartbeat: Heartbeat = read(br#"{"tasks": null}"#).unwrap();
    assert_eq!(heartbeat, read(b"{}").unwrap());
}

#[test]
fn numbers_are_what_they_say() {
    let progress = |number: &str| {
        read::<ReportProgress>(format!(r#"{{"lease": "1-a", "progress": {number}}}"#).as_bytes())
    };
    assert!(progress("0").is_ok() && progress("99.5").is_ok() && progress("1e2").is_ok());
    for wrong in ["-0.1", "101", "1e3"] {
        assert_eq!(
            progress(wrong).unwrap_err().problem().errors[0].code,
            "out_of_range",
            "{wrong}"
        );
    }
    for fraction in ["1.5", "1e1", "1e300"] {
        let json = format!(r#"{{"task_type": "x", "priority": {fraction}}}"#);
        assert_eq!(
            faults::<NewTask>(&json),
            pairs(&[("/priority", "wrong_type")]),
            "{fraction}"
        );
    }
    let json = r#"{"task_type": "x", "timeout_ms": 99999999999999999999}"#;
    assert_eq!(
        faults::<NewTask>(json),
        pairs(&[("/timeout_ms", "wrong_type")])
    );
}

#[test]
fn counters_are_bounded_in_names_values_and_number() {
    let body =
        |counters: &str| format!(r#"{{"lease": "1-a", "progress": 1, "counters": {counters}}}"#);
    assert!(read::<ReportProgress>(body(r#"{"records": 7}"#).as_bytes()).is_ok());
    let expected = [
        ("/counters/a b", "not_an_id"),
        ("/counters/c", "out_of_range"),
        ("/counters/d", "wrong_type"),
    ];
    assert_eq!(
        faults::<ReportProgress>(&body(r#"{"a b": 1, "c": -1, "d": "x"}"#)),
        pairs(&expected)
    );
    let many: Vec<String> = (0..17).map(|n| format!(r#""c{n}": 1"#)).collect();
    let many = format!("{{{}}}", many.join(","));
    assert_eq!(
        faults::<ReportProgress>(&body(&many)),
        pairs(&[("/counters", "too_many")])
    );
}

#[test]
fn addresses_hold_no_credentials() {
    let body = |url: &str| {
        let json = format!(
            r#"{{"name": "a", "type": "t", "capabilities": ["c"], "endpoint_url": "{url}"}}"#
        );
        read::<RegisterAgent>(json.as_bytes())
    };
    assert!(body("https://example.org/run").is_ok());
    for url in [
        "ftp://example.org",
        "http://",
        "http://a:b@example.org",
        "http://a b",
        "javascript:alert(1)",
    ] {
        assert_eq!(
            body(url).unwrap_err().problem().errors[0].code,
            "not_a_url",
            "{url}"
        );
    }
}

#[test]
fn bytes_that_are_no_json_get_their_own_clear_error() {
    for (bytes, detail) in [
        (&b""[..], "the body is empty; send a JSON object"),
        (b" \n", "the body is empty; send a JSON object"),
        (
            b"\xef\xbb\xbf{}",
            "the body begins with a byte order mark; send UTF-8 without one",
        ),
        (b"\xff\xfe{\0}\0", "the body is UTF-16; send UTF-8"),
        (
            b"{\"task_type\": \"\xff\"}",
            "the body is not UTF-8: byte 15 is wrong",
        ),
        (b"{} {}", "trailing characters at line 1 column 4"),
        (
            b"{\"task_type\": \"x\",}",
            "trailing comma at line 1 column 19",
        ),
        (
            b"{\"task_type\": \"x\"",
            "EOF while parsing an object at line 1 column 17",
        ),
        (
            b"{\"priority\": NaN}",
            "expected value at line 1 column 14; JSON has no NaN and no infinity, send null or leave the field out",
        ),
        (
            b"{'task_type': 1}",
            "key must be a string at line 1 column 2; JSON strings are in double quotes",
        ),
        (
            b"{\"a\": True}",
            "expected value at line 1 column 7; JSON writes null, true and false",
        ),
        (
            b"// hi\n{}",
            "expected value at line 1 column 1; JSON has no comments",
        ),
        (b"task_type=x", "expected ident at line 1 column 2"),
    ] {
        assert_eq!(
            malformed(bytes),
            ("malformed_json", detail.to_owned()),
            "{bytes:?}"
        );
    }
}

#[test]
fn a_syntax_error_inside_a_payload_is_one_of_the_body() {
    assert_eq!(
        malformed(br#"{"task_type": "x", "parameters": {"a": NaN}}"#).0,
        "malformed_json"
    );
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let nested = |levels: usize| {
        format!(
            r#"{{"task_type": "x", "parameters": {}1{}}}"#,
            r#"{"a":"#.repeat(levels),
            "}".repeat(levels)
        )
    };
    assert!(read::<NewTask>(nested(JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
    assert_eq!(
        malformed(nested(JSON_DEPTH_MAX).as_bytes()).0,
        "json_too_deep"
    );
    assert_eq!(malformed("[".repeat(10_000).as_bytes()).0, "json_too_deep");
    let in_text = format!(
        r#"{{"task_type": "x", "parameters": {{"a": "\"{}"}}}}"#,
        "[".repeat(10_000)
    );
    assert!(
        read::<NewTask>(in_text.as_bytes()).is_ok(),
        "brackets in strings do not nest"
    );
}

#[test]
fn a_payload_has_a_largest_size() {
    let json = format!(
        r#"{{"task_type": "x", "parameters": {{"a": "{}"}}}}"#,
        "x".repeat(PAYLOAD_BYTES_MAX)
    );
    assert_eq!(
        faults::<NewTask>(&json),
        pairs(&[("/parameters", "too_large")])
    );
}

#[test]
fn text_is_counted_in_characters() {
    let body = |name: &str| {
        let json = format!(r#"{{"name": "{name}", "type": "t", "capabilities": ["c"]}}"#);
        read::<RegisterAgent>(json.as_bytes())
    };
    assert!(body(&"ä".repeat(200)).is_ok());
    assert_eq!(
        body(&"ä".repeat(201)).unwrap_err().problem().errors[0].code,
        "too_long"
    );
    assert_eq!(body("").unwrap_err().problem().errors[0].code, "empty");
}
