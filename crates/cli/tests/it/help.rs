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
fn topics_are_told_like_commands() {
    for (topic, word) in [
        ("exit-codes", "130  interrupted"),
        ("environment", "MCPANEL_CONTEXT"),
        ("environment", "MCPANEL_HTTP           `serve --http`"),
        ("output", "--columns"),
    ] {
        let asked = mcpanel(["help", topic]).output().unwrap();
        let text = String::from_utf8(asked.stdout).unwrap();
        assert_eq!(asked.status.code(), Some(0), "{topic}");
        assert!(text.contains(word), "{topic}: {text}");
        assert!(!text.contains("Usage:"), "{topic} is no command: {text}");
    }
}

/// What stands between the part of the page that was written and the part that is made.
const MADE: &str = "<!-- From here on made by `mcpanel reference`. -->\n\n";

#[test]
fn the_page_about_the_command_line_has_every_option() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (written, made) = page.split_once(MADE).expect("the page has both parts");
    let output = mcpanel(["reference"]).output().unwrap();
    let now = String::from_utf8(output.stdout).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{written}{MADE}{now}")).unwrap();
        return;
    }
    assert!(
        made == now,
        "docs/cli.md is out of date: run UPDATE_DOCS=1 cargo test -p mcpanel-cli --test it -- help"
    );
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130] {
        assert!(
            written.contains(&format!("\n| {code} | ")),
            "exit code {code}"
        );
    }
}

#[test]
fn the_page_about_the_command_line_has_every_route() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/cli.md")).unwrap();
    let (written, made) = page.split_once(MADE).expect("the page has both parts");
    let api = std::fs::read_to_string(root.join("openapi/openapi.json")).unwrap();
    let api: serde_json::Value = serde_json::from_str(&api).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            routes.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert!(routes.len() > 50, "{routes:?}");
    let told: Vec<(&str, &str)> = written
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .strip_suffix(" |")?
                .split_once("` | ")
        })
        .filter(|(route, _)| route.contains(" /"))
        .collect();
    for route in &routes {
        assert!(
            told.iter().any(|(told, _)| told == route),
            "`{route}` is missing"
        );
    }
    for (route, command) in told {
        assert!(
            routes.iter().any(|known| known == route),
            "`{route}` is none"
        );
        // What is said first in code is a command, unless the route is an agent's.
        let Some((_, named)) = command.split_once('`') else {
            assert!(command.starts_with("an agent's: "), "{route}: {command}");
            continue;
        };
        let (named, _) = named.split_once('`').unwrap();
        let name: Vec<&str> = named
            .split(' ')
            .take_while(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()))
            .collect();
        let heading = format!("### `mcpanel {}`", name.join(" "));
        assert!(made.contains(&heading), "{route}: there is no {heading}");
    }
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    let wrong: [&[&str]; 13] = [
        &[],
        &["tusks"],
        &["tasks"],
        &["tasks", "list", "--status", "done"],
        &["tasks", "get", "../x"],
        &["tasks", "submit"],
        &["tasks", "submit", "file", "--type", "demo"],
        &["tasks", "wait", "a", "--timeout", "soon"],
        &["tasks", "list", "-o", "csv"],
        &["tasks", "list", "-o", "json", "--columns", "task"],
        &["tasks", "list", "--every", "5s"],
        &["tasks", "list", "-q", "-v"],
        &["tasks", "update", "a"],
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

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = mcpanel(["completions", shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["pipelines", "retry-stage", "context", "doctor"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn completions_for_bash_complete() {
    let output = mcpanel(["completions", "bash"]).output().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mcpanel.bash"), output.stdout).unwrap();
    let ask = |words: &str| {
        let count = words.split(' ').count() - 1;
        let script = format!(
            "source mcpanel.bash; COMP_WORDS=({words}); COMP_CWORD={count}; \
             _mcpanel mcpanel \"${{COMP_WORDS[{count}]}}\" \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[@]}}\"",
            count - 1
        );
        let bash = std::process::Command::new("bash")
            .args(["--norc", "-c", &script])
            .current_dir(folder.path())
            .output();
        match bash {
            Ok(output) => Some(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
            Err(_) => None,
        }
    };
    let Some(answer) = ask("mcpanel pipe") else {
        eprintln!("skipped: there is no `bash` here");
        return;
    };
    assert_eq!(answer, "pipelines");
    assert_eq!(ask("mcpanel pipelines retry-s").unwrap(), "retry-stage");
    assert_eq!(ask("mcpanel tasks list --stat").unwrap(), "--status");
    let statuses = ask("mcpanel tasks list --status c").unwrap();
    assert_eq!(statuses, "completed cancelled");
}
