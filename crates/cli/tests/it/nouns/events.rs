//! `mcpanel events`.

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use crate::shell::{Ran, Shell};

#[test]
fn what_happened_is_listed() {
    let shell = Shell::open();
    for id in ["a", "b", "c"] {
        shell
            .run(&["tasks", "submit", "--type", "demo", "--id", id])
            .ok();
    }
    let all = shell
        .run(&["events", "list", "--type", "task:", "-o", "jsonl"])
        .jsonl();
    let about: Vec<&str> = all
        .iter()
        .map(|event| event["payload"]["taskId"].as_str().unwrap())
        .collect();
    assert_eq!(about, ["a", "b", "c"]);
    let last = shell
        .run(&["events", "list", "--last", "1", "-o", "jsonl"])
        .jsonl();
    assert_eq!(last, all[2..]);
    let first = shell.run(&["events", "list", "--limit", "1", "-o", "name"]);
    assert!(
        first.err.contains("there are more: go on with `--after"),
        "{}",
        first.err
    );
    let after = first.lines()[0].clone();
    let rest = shell
        .run(&[
            "events", "list", "--after", &after, "--task", "c", "-o", "jsonl",
        ])
        .jsonl();
    assert_eq!(rest, all[2..]);
}

#[cfg(unix)]
#[test]
fn what_happens_is_followed_until_ctrl_c() {
    let shell = Shell::open();
    let mut child = shell.start(&["events", "tail", "--after", "0", "--type", "task:created"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in ["a", "b"] {
        shell
            .run(&["tasks", "submit", "--type", "demo", "--id", id])
            .ok();
        let line = lines.next().unwrap().unwrap();
        assert!(
            line.contains("task:created") && line.contains(&format!(" {id}  0 %")),
            "{line}"
        );
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130));
    // What it says at the end finds what comes after.
    let (_, after) = ran.err.split_once("--after ").unwrap();
    let after = after.split('`').next().unwrap();
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "c"])
        .ok();
    let rest = shell
        .run(&[
            "events", "list", "--after", after, "--type", "task:", "-o", "jsonl",
        ])
        .jsonl();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["payload"]["taskId"], "c");
}
