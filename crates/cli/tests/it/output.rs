//! How answers are written: formats, columns, colours, quiet, watching.

use std::{
    io::{BufRead, BufReader},
    process::Child,
};

use serde_json::Value;

use crate::{
    shell::{Ran, Shell},
    support::mcpanel,
};

fn submit(shell: &Shell, id: &str) {
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", id])
        .ok();
}

#[test]
fn yaml_says_what_json_says() {
    let shell = Shell::open();
    assert_eq!(shell.run(&["tasks", "list", "-o", "yaml"]).ok(), "[]\n");
    submit(&shell, "a");
    submit(&shell, "b");
    let one = shell.run(&["tasks", "get", "a", "-o", "yaml"]).ok();
    assert!(one.starts_with("task_id: a\nnamespace: default\n"), "{one}");
    assert!(one.contains("\nretry_config:\n  "), "{one}");
    let list = shell.run(&["tasks", "list", "-o", "yaml"]).ok();
    assert!(
        list.starts_with("- task_id: b\n  namespace: default\n"),
        "{list}"
    );
    assert!(list.contains("\n- task_id: a\n"), "{list}");
    let explained = shell.run(&["tasks", "explain", "a", "-o", "yaml"]).ok();
    assert!(explained.contains("kind: no_capable_agent"), "{explained}");
}

#[test]
fn a_wide_table_has_more_columns_and_a_chosen_one_those() {
    let shell = Shell::open();
    submit(&shell, "a");
    let usual = shell.run(&["tasks", "list"]).lines();
    let wide = shell.run(&["tasks", "list", "-o", "wide"]).lines();
    assert!(wide[0].starts_with(&usual[0]), "{wide:?}");
    assert!(wide[0].contains("\tPRIORITY\t"), "{wide:?}");
    assert_eq!(wide[0].split('\t').count(), wide[1].split('\t').count());
    let chosen = shell.run(&["tasks", "list", "--columns", "status,priority,Task"]);
    assert_eq!(chosen.ok(), "STATUS\tPRIORITY\tTASK\npending\t0\ta\n");
    let fields = shell.run(&["tasks", "get", "a", "--columns", "type,created-by"]);
    assert_eq!(fields.ok(), "TYPE\tdemo\nCREATED BY\tadmin\n");
    let refused = shell
        .run(&["tasks", "list", "--columns", "tusk"])
        .refused(2);
    assert!(
        refused.contains("there is no column `tusk`") && refused.contains("created-by"),
        "{refused}"
    );
}

#[test]
fn whoever_wants_quiet_hears_errors_alone() {
    let shell = Shell::open();
    for id in ["a", "b"] {
        submit(&shell, id);
    }
    let list = ["tasks", "list", "--limit", "1", "-o", "name"];
    assert!(shell.run(&list).err.contains("there are more"));
    let quiet = shell.run(&[&list[..], &["-q"]].concat());
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("b\n", ""));
    let error = shell.run(&["tasks", "get", "none", "--quiet"]).refused(3);
    assert!(error.contains("no task `none`"), "{error}");
    let loud = shell.run(&["tasks", "get", "a", "-vv"]);
    assert!(loud.err.contains("DEBUG"), "{}", loud.err);
}

#[test]
fn colours_are_as_they_are_wanted() {
    let shell = Shell::open();
    submit(&shell, "a");
    let error = |color: &str, variable: Option<(&str, &str)>| {
        let mut command = shell.command(&["tasks", "get", "none", "--color", color]);
        if let Some((name, value)) = variable {
            command.env(name, value);
        }
        Ran::of(command.output().unwrap()).err.contains('\u{1b}')
    };
    assert!(!error("auto", None), "nobody looks");
    assert!(error("always", None));
    assert!(
        error("always", Some(("NO_COLOR", "1"))),
        "what was typed wins"
    );
    assert!(error("auto", Some(("CLICOLOR_FORCE", "1"))));
    assert!(!error("never", Some(("CLICOLOR_FORCE", "1"))));
    let table = shell.run(&["tasks", "list", "--color", "always"]).ok();
    assert!(
        !table.contains('\u{1b}'),
        "a table in a pipe is for programs"
    );
    let help = shell.run(&["tasks", "--help", "--color", "always"]);
    assert!(help.out.contains('\u{1b}'), "{}", help.out);
    let wrong = shell.run(&["tusks", "--color", "never"]);
    assert!(!wrong.err.contains('\u{1b}'), "{}", wrong.err);
}

/// Reads what a command that goes on has to say, a document a line.
struct Follower {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Follower {
    fn start(shell: &Shell, arguments: &[&str]) -> Self {
        let mut child = shell.start(arguments);
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn watching_a_list_in_a_pipe_tells_what_is_new_or_changed() {
    let shell = Shell::open();
    submit(&shell, "a");
    let watch = ["tasks", "list", "--watch", "--every", "200ms"];
    let mut follower = Follower::start(&shell, &watch);
    assert_eq!(follower.next()["task_id"], "a");
    submit(&shell, "b");
    assert_eq!(follower.next()["task_id"], "b");
    shell.run(&["tasks", "cancel", "a", "--yes"]).ok();
    let changed = follower.next();
    assert_eq!(
        (changed["task_id"].as_str(), changed["status"].as_str()),
        (Some("a"), Some("cancelled"))
    );
}

#[test]
fn tasks_are_watched_to_their_end() {
    let shell = Shell::open();
    submit(&shell, "a");
    let mut follower = Follower::start(&shell, &["tasks", "watch", "a", "--every", "200ms"]);
    assert_eq!(follower.next()["status"], "pending");
    let late = shell.run(&["tasks", "watch", "a", "--timeout", "300ms", "-o", "name"]);
    assert_eq!((late.code, late.out.as_str()), (Some(8), "a\n"));
    shell.run(&["tasks", "update", "a", "--priority", "7"]).ok();
    assert_eq!(follower.next()["priority"], 7);
    shell.run(&["tasks", "cancel", "a", "--yes"]).ok();
    assert_eq!(follower.next()["status"], "cancelled");
    assert_eq!(follower.child.wait().unwrap().code(), Some(7));
}

#[test]
fn tasks_of_a_file_are_answered_as_documents_in_a_pipe() {
    let shell = Shell::open();
    let text = r#"{"task_type": "demo", "task_id": "a"}{"task_type": "demo", "task_id": "b"}"#;
    let answered = shell.feed(&["tasks", "submit", "-"], text).jsonl();
    let ids: Vec<&str> = answered
        .iter()
        .map(|task| task["task_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    let again = shell.feed(&["tasks", "submit", "-", "-o", "name"], text);
    assert!(
        again.err.contains("2 of these were submitted before"),
        "{}",
        again.err
    );
    assert_eq!(again.ok(), "a\nb\n");
}

#[test]
fn a_log_filter_that_is_none_is_told() {
    let mut command = mcpanel(["context", "list"]);
    let ran = Ran::of(command.env("MCPANEL_LOG", "info,a=b=c").output().unwrap());
    let refused = ran.refused(2);
    assert!(
        refused.contains("MCPANEL_LOG") && refused.contains("`info,a=b=c` is no log filter"),
        "{refused}"
    );
    let mut command = mcpanel(["context", "list"]);
    Ran::of(command.env("MCPANEL_LOG", " ").output().unwrap()).ok();
}
