//! `mcpanel tasks submit`.

use std::io::{BufRead, BufReader, Write};

use crate::{
    shell::{Ran, Shell, masked},
    support::mcpanel,
};

#[test]
fn a_task_from_the_command_line_is_made_as_it_is_told() {
    let shell = Shell::open();
    let task = shell
        .run(&[
            "tasks",
            "submit",
            "--type",
            "demo",
            "--id",
            "a",
            "-p",
            r#"{"text": "ä"}"#,
            "--priority",
            "-5",
            "--timeout",
            "90s",
            "--max-retries",
            "0",
            "-o",
            "json",
        ])
        .json();
    assert_eq!(task["task_id"], "a");
    assert_eq!(task["parameters"]["text"], "ä");
    assert_eq!(task["priority"], -5);
    assert_eq!(task["timeout_ms"], 90_000);
    assert_eq!(task["max_retries"], 0);
    let again = shell
        .run(&["tasks", "submit", "--type", "demo", "-o", "name"])
        .lines();
    let more = shell
        .run(&["tasks", "submit", "--type", "demo", "-o", "name"])
        .lines();
    assert_ne!(again, more, "from the command line every one is new");
}

#[test]
fn a_file_is_submitted_in_its_order_and_only_once() {
    let shell = Shell::open();
    let mut text = String::new();
    for number in 0..100 {
        // Each depends on the one before it, and a reader that is ahead of the server must not be.
        let dependencies = match number {
            0 => String::new(),
            number => format!(r#", "dependencies": ["t{}"]"#, number - 1),
        };
        text.push_str(&format!(
            r#"{{"task_type": "demo", "task_id": "t{number}"{dependencies}}}"#
        ));
        text.push('\n');
    }
    text.push_str("{\n  \"task_type\": \"demo\"\n}\n{\"task_type\": \"demo\"}");
    shell.file("tasks.jsonl", &text);
    let first = shell
        .run(&["tasks", "submit", "tasks.jsonl", "-o", "name"])
        .lines();
    assert_eq!(first.len(), 102);
    let named: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    assert_eq!(first[..100], named);
    assert_ne!(first[100], first[101], "the same twice is meant twice");

    let again = shell
        .feed(&["tasks", "submit", "-", "-o", "name"], &text)
        .lines();
    assert_eq!(first, again);
    let anew = shell.feed(
        &["tasks", "submit", "-", "--again", "-o", "name"],
        r#"{"task_type": "demo"}"#,
    );
    assert!(!first.contains(&anew.lines()[0]));
}

#[test]
fn what_is_wrong_in_a_file_is_named_and_what_was_right_is_kept() {
    let shell = Shell::open();
    let ran = shell.feed(
        &["tasks", "submit", "-", "-o", "name"],
        "{\"task_type\": \"demo\", \"task_id\": \"a\"}\n\n{\"task_type\": \"demo\", \"prio\": 1}\n",
    );
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), "a\n"));
    assert!(
        ran.err.contains("`stdin` line 3: unknown field `prio`"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("what arrived (1 task) is not made twice"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("`--dry-run` tells all"), "{}", ran.err);

    let faults = shell
        .feed(
            &["tasks", "submit", "-"],
            r#"{"task_type": "demo", "priority": 5000, "timeout_ms": 0}"#,
        )
        .refused(1);
    for fault in [
        "`stdin` line 1",
        "`/priority` is 5000",
        "`/timeout_ms` is 0",
        "request id: req_",
    ] {
        assert!(faults.contains(fault), "{fault}: {faults}");
    }
}

#[test]
fn nothing_is_sent_for_a_dry_run() {
    let shell = Shell::open();
    let text = r#"{"task_type": "demo", "priority": 3}{"task_type": "demo"}"#;
    let ran = shell.feed(&["tasks", "submit", "-", "--dry-run"], text);
    assert_eq!(ran.err, "would submit 2 tasks\n");
    assert_eq!(ran.jsonl()[0]["priority"], 3);
    assert_eq!(shell.run(&["tasks", "list", "-o", "name"]).ok(), "");
}

#[test]
fn a_dry_run_tells_all_that_is_wrong_with_its_line() {
    let shell = Shell::open();
    let text = [
        r#"{"task_type": "demo", "task_id": "a"}"#,
        r#"{"task_type": "demo", "prio": 1, "priority": 5000}"#,
        r#"{"task_type": "demo""#,
        r#"{"task_type": "demo", "dependencies": ["a", "z", "elsewhere"]}"#,
        "not json",
        r#"{"task_type": "demo", "task_id": "a"}"#,
        r#"{"task_type": "demo", "retry_config": {"backoffStrategy": "cubic"}, "timeout_ms": "soon"}"#,
        r#"{"task_type": "demo", "task_id": "z"}"#,
        r#"{"parameters": []}"#,
        r#"{"task_type": "demo", "run_at": "2999-01-01T00:00:00Z", "deadline": "2020-01-01T00:00:00Z", "dependencies": ["a", "a"]}"#,
        r#"{"task_type": "demo", "task_id": "last"}"#,
    ];
    let ran = shell.feed(&["tasks", "submit", "-", "--dry-run"], &text.join("\n"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 3, "lines 1, 4 and 11: {}", ran.out);
    insta::assert_snapshot!("submit-dry-run", masked(&ran.err, &shell.server));
    assert_eq!(shell.run(&["tasks", "list", "-o", "name"]).ok(), "");
}

#[test]
fn a_dry_run_needs_no_server() {
    let wrong = [
        "tasks",
        "submit",
        "--type",
        "demo",
        "--priority",
        "5000",
        "--dry-run",
    ];
    let ran = mcpanel([&wrong[..], &["--url", "http://127.0.0.1:1"]].concat()).output();
    let told = Ran::of(ran.unwrap()).refused(2);
    assert!(told.contains("`/priority`: is 5000"), "{told}");
}

#[test]
fn a_list_in_place_of_lines_is_told_once() {
    let shell = Shell::open();
    let list = "[\n{\"task_type\": \"demo\"},\n{\"task_type\": \"demo\"}\n]\n";
    let told = shell
        .feed(&["tasks", "submit", "-", "--dry-run"], list)
        .refused(2);
    assert_eq!(told.matches("no JSON object").count(), 1, "{told}");
    assert!(told.contains("jq -c '.[]'"), "{told}");
}

#[test]
fn a_stream_is_answered_while_it_goes_on() {
    let shell = Shell::open();
    let mut child = shell.start(&["tasks", "submit", "-", "-o", "name"]);
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(input, r#"{{"task_type": "demo", "task_id": "s{number}"}}"#).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("s{number}\n"));
    }
    drop(input);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let shell = Shell::open();
    assert!(
        shell
            .run(&["tasks", "submit", "none.jsonl"])
            .refused(1)
            .contains("cannot read `none.jsonl`")
    );
    assert!(
        shell
            .run(&["tasks", "submit", "."])
            .refused(1)
            .contains("`.` is a folder")
    );
    let array = shell.feed(&["tasks", "submit", "-"], "[{}]").refused(2);
    assert!(
        array.contains("`[` is no JSON object") && array.contains("jq"),
        "{array}"
    );
    let wrong = shell
        .run(&["tasks", "submit", "--type", "demo", "-p", "[1]"])
        .refused(2);
    assert!(wrong.contains("`[1]` is not a JSON object"), "{wrong}");
}
