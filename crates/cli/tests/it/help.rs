//! The help of every command, as people and scripts know it.

use std::path::Path;

use crate::support::{mcpanel, run_in, said};

/// The help of a command.
fn help(path: &[String]) -> String {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let output = run_in(Path::new("."), arguments);
    assert_eq!(output.status.code(), Some(0), "{path:?}");
    assert_eq!(said(&output), "", "help is asked for, and goes to stdout");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help names.
fn commands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        // Deeper lines go on with a description.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn walk(path: &[String], seen: &mut Vec<String>) {
    let text = help(path);
    let name = match path {
        [] => "mcpanel".to_owned(),
        path => path.join("-"),
    };
    insta::assert_snapshot!(format!("help-{name}"), text);
    seen.push(name);
    for command in commands(&text) {
        let mut path = path.to_vec();
        path.push(command);
        walk(&path, seen);
    }
}

#[test]
fn every_command_has_its_help() {
    let mut seen = Vec::new();
    walk(&[], &mut seen);
    for name in [
        "run",
        "serve",
        "tasks-submit",
        "pipelines-watch",
        "agents-drain",
        "keys-create",
    ] {
        assert!(
            seen.iter().any(|seen| seen == name),
            "{name} is missing in {seen:?}"
        );
    }
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let text = help(&[]);
    let (_, table) = text.split_once("Exit codes:").unwrap();
    insta::assert_snapshot!("exit-codes", table.trim_end());
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    let wrong: [&[&str]; 9] = [
        &[],
        &["tusks"],
        &["tasks"],
        &["tasks", "list", "--status", "done"],
        &["tasks", "get", "../x"],
        &["tasks", "submit"],
        &["tasks", "submit", "file", "--type", "demo"],
        &["tasks", "wait", "a", "--timeout", "soon"],
        &["tasks", "list", "-o", "yaml"],
    ];
    for arguments in wrong {
        let output = mcpanel(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn completions_know_the_commands_and_the_words() {
    let output = mcpanel(["completions", "bash"]).output().unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    for word in ["tasks", "submit", "--idempotency-key", "cancelled"] {
        assert!(script.contains(word), "{word}");
    }
}
