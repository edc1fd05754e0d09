//! What a person at a terminal sees, by way of `script`, which gives a command one.

use std::process::{Command, Stdio};

use crate::shell::Shell;

/// Runs a command at a terminal; what it wrote, both outputs together. None where there is no `script`.
fn at_terminal(shell: &Shell, command: &str, environment: &[(&str, &str)]) -> Option<String> {
    let is_there = Command::new("script").arg("--version").output();
    if is_there.is_err() {
        eprintln!("skipped: there is no `script` here to make a terminal");
        return None;
    }
    let ours = shell.command(&[]);
    let line = format!(
        "stty cols 120 rows 30; {} {command}",
        env!("CARGO_BIN_EXE_mcpanel")
    );
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(shell.folder.path())
        .stdin(Stdio::null());
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script
        .env("TERM", "xterm")
        .envs(environment.iter().copied());
    let output = script.output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_table_is_aligned_coloured_and_short() {
    let shell = Shell::open();
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "a"])
        .ok();
    shell.run(&["tasks", "cancel", "a", "--yes"]).ok();
    let Some(table) = at_terminal(&shell, "tasks list", &[]) else {
        return;
    };
    assert!(table.contains("s ago"), "times are ages: {table}");
    assert!(!table.contains('\t'), "{table}");
    assert!(
        table.contains("\u{1b}[") && table.contains("cancelled"),
        "{table}"
    );
    for calm in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let table = at_terminal(&shell, "tasks list", &[calm]).unwrap();
        assert!(!table.contains('\u{1b}'), "{calm:?}: {table}");
    }
}

#[test]
fn a_pipeline_is_one_bar_of_segments() {
    let shell = Shell::open();
    let template = r#"{"template_id": "two", "stages": [
        {"stage": 1, "name": "first", "task_type": "demo"},
        {"stage": 2, "name": "second", "task_type": "demo", "dependencies": [1]}]}"#;
    shell.feed(&["templates", "create", "-"], template).ok();
    let run = [
        "pipelines",
        "run",
        "--template",
        "two",
        "--id",
        "p1",
        "-o",
        "name",
    ];
    shell.run(&run).ok();
    let watch = "pipelines watch p1 --timeout 500ms";
    let Some(drawn) = at_terminal(&shell, watch, &[("NO_COLOR", "1")]) else {
        return;
    };
    assert!(drawn.contains("p1  ──────── ────────    0 %"), "{drawn}");
    assert!(drawn.contains("1 first"), "{drawn}");
    assert!(!drawn.contains("2 second"), "one bar: {drawn}");
}

#[test]
fn a_list_is_redrawn_in_place() {
    let shell = Shell::open();
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "a"])
        .ok();
    let watch = "tasks watch a --every 200ms --timeout 700ms";
    let Some(drawn) = at_terminal(&shell, watch, &[]) else {
        return;
    };
    assert_eq!(
        drawn.matches("\u{1b}[2J").count(),
        1,
        "cleared once: {drawn}"
    );
    assert!(
        drawn.matches("\u{1b}[H").count() > 1,
        "drawn again: {drawn}"
    );
    assert!(drawn.contains("Ctrl-C ends"), "{drawn}");
}
