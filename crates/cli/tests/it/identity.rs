//! Contexts and credentials: which server, and as whom.

use std::process::Command;

use crate::shell::{Ran, Shell};

/// A command whose contexts are in the shell's folder, and that knows neither server nor key but by them.
fn bare(shell: &Shell, arguments: &[&str]) -> Command {
    let mut command = shell.command(arguments);
    command
        .env("XDG_CONFIG_HOME", shell.folder.path().join("config"))
        .env("MCPANEL_DATA", "nowhere")
        .env_remove("MCPANEL_URL");
    command
}

fn run(shell: &Shell, arguments: &[&str]) -> Ran {
    Ran::of(bare(shell, arguments).output().unwrap())
}

/// A key with these permissions, in a file.
fn key(shell: &Shell, permissions: &str, file: &str) {
    shell
        .run(&[
            "keys",
            "create",
            "x",
            "-p",
            permissions,
            "--secret-file",
            file,
        ])
        .ok();
}

#[test]
fn a_context_is_kept_of_the_server_that_the_environment_names() {
    let shell = Shell::open();
    let refused = run(&shell, &["context", "add", "one"]).refused(2);
    assert!(refused.contains("--url"), "{refused}");
    let mut add = bare(&shell, &["context", "add", "one"]);
    Ran::of(add.env("MCPANEL_URL", &shell.server.url).output().unwrap()).ok();
    let list = run(&shell, &["context", "list"]).ok();
    assert!(list.contains(&shell.server.url), "{list}");
}

#[test]
fn a_context_is_a_server_and_a_credential() {
    let shell = Shell::open();
    key(&shell, "task:read", "a.key");
    let url = shell.server.url.as_str();
    let add = [
        "context",
        "add",
        "one",
        "--url",
        url,
        "--token-file",
        "a.key",
    ];
    run(&shell, &add).ok();
    run(&shell, &["tasks", "list"]).ok();
    run(
        &shell,
        &["context", "add", "away", "--url", "http://127.0.0.1:1"],
    )
    .ok();
    let list = run(&shell, &["context", "list"]).ok();
    assert!(
        list.starts_with(
            "CURRENT\tNAME\tURL\tCREDENTIAL\n-\taway\thttp://127.0.0.1:1\t-\n*\tone\t"
        ),
        "{list}"
    );
    let secret = shell.read("a.key");
    for ran in [
        run(&shell, &["context", "list", "-o", "json"]),
        run(&shell, &["context", "list", "-o", "wide"]),
    ] {
        assert!(
            !ran.ok().contains(secret.trim()),
            "secrets stay in the file"
        );
    }
    assert_eq!(
        run(&shell, &["tasks", "list", "--context", "away"]).code,
        Some(9)
    );
    run(&shell, &["context", "use", "away"]).ok();
    assert_eq!(run(&shell, &["tasks", "list"]).code, Some(9));
    let mut by_variable = bare(&shell, &["tasks", "list"]);
    by_variable.env("MCPANEL_CONTEXT", "one");
    Ran::of(by_variable.output().unwrap()).ok();

    assert_eq!(run(&shell, &["context", "use", "none"]).code, Some(3));
    assert_eq!(run(&shell, &add).code, Some(5), "the name is taken");
    assert_eq!(run(&shell, &["context", "add", "a b"]).code, Some(2));
    assert_eq!(run(&shell, &["context", "add", "new"]).code, Some(2));
    assert_eq!(run(&shell, &["context", "remove", "one"]).code, Some(2));
    run(&shell, &["context", "remove", "one", "--dry-run"]).ok();
    run(&shell, &["context", "remove", "one", "away", "--yes"]).ok();
    assert_eq!(run(&shell, &["context", "list", "-o", "name"]).ok(), "");
}

#[test]
fn what_was_typed_comes_before_the_environment_and_that_before_the_context() {
    let shell = Shell::open();
    key(&shell, "task:read", "tasks.key");
    key(&shell, "agent:read", "agents.key");
    let url = shell.server.url.as_str();
    run(
        &shell,
        &[
            "context",
            "add",
            "here",
            "--url",
            url,
            "--token-file",
            "tasks.key",
        ],
    )
    .ok();
    let may = |command: &mut Command| command.output().unwrap().status.code() == Some(0);
    let agents_key = shell.read("agents.key");
    assert!(may(&mut bare(&shell, &["tasks", "list"])), "the context");
    let mut variable = bare(&shell, &["agents", "list"]);
    assert!(
        may(variable.env("MCPANEL_API_KEY", agents_key.trim())),
        "the variable"
    );
    let mut typed = bare(&shell, &["tasks", "list", "--context", "here"]);
    assert!(
        may(typed.env("MCPANEL_API_KEY", agents_key.trim())),
        "a context that was typed is more than a variable"
    );
    let mut file = bare(
        &shell,
        &[
            "agents",
            "list",
            "--token-file",
            "agents.key",
            "--context",
            "here",
        ],
    );
    assert!(may(&mut file), "the file");
    let mut elsewhere = bare(&shell, &["tasks", "list"]);
    let elsewhere = elsewhere
        .env("MCPANEL_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(
        elsewhere.status.code(),
        Some(9),
        "the variable names the server"
    );
}

#[test]
fn a_context_s_credential_is_shown_to_its_server_alone() {
    let shell = Shell::open();
    key(&shell, "task:read", "a.key");
    let add = [
        "context",
        "add",
        "one",
        "--url",
        "http://127.0.0.1:1",
        "--token-file",
        "a.key",
    ];
    run(&shell, &add).ok();
    let other = run(&shell, &["tasks", "list", "--url", &shell.server.url]);
    let told = other.refused(4);
    assert!(told.contains("mcpanel auth login"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_configuration_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let shell = Shell::open();
    key(&shell, "task:read", "a.key");
    let url = shell.server.url.as_str();
    run(
        &shell,
        &[
            "context",
            "add",
            "one",
            "--url",
            url,
            "--token-file",
            "a.key",
        ],
    )
    .ok();
    let path = shell.folder.path().join("config/mcpanel/config.toml");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = run(&shell, &["tasks", "list"]).refused(2);
    assert!(told.contains("chmod 600"), "{told}");
}

#[test]
fn a_login_keeps_what_the_server_takes() {
    let shell = Shell::open();
    key(&shell, "task:read,system:health", "a.key");
    let url = shell.server.url.as_str();
    shell.file("wrong.key", "mcp_wrong");
    let wrong = run(
        &shell,
        &["auth", "login", "--url", url, "--token-file", "wrong.key"],
    );
    assert_eq!(wrong.code, Some(4));
    assert_eq!(run(&shell, &["context", "list", "-o", "name"]).ok(), "");
    let nobody = run(&shell, &["auth", "login", "--url", url]).refused(2);
    assert!(nobody.contains("--token-file"), "{nobody}");

    let login = [
        "auth",
        "login",
        "--url",
        url,
        "--token-file",
        "a.key",
        "--context",
        "prod",
    ];
    let identity = run(&shell, &login).ok();
    assert!(
        identity.contains("PERMISSIONS\ttask:read,system:health\n"),
        "{identity}"
    );
    run(&shell, &["tasks", "list"]).ok();
    let who = run(&shell, &["auth", "whoami", "-o", "json"]).json();
    assert_eq!(who["found_in"], "context `prod`");
    assert_eq!(who["namespace"], "default");
    assert!(who["who"].as_str().unwrap().starts_with("key:key_"));
    run(&shell, &["auth", "logout"]).ok();
    assert_eq!(run(&shell, &["tasks", "list"]).code, Some(4));
    assert_eq!(run(&shell, &["auth", "whoami"]).code, Some(4));
}

#[test]
fn a_token_is_bought_and_used() {
    let shell = Shell::open();
    let token = shell
        .run(&["auth", "token", "-p", "task:read", "--expires", "10m"])
        .ok();
    let with = |arguments: &[&str]| {
        let output = shell.feed(&[arguments, &["--token-file", "-"]].concat(), &token);
        (output.code, output.out)
    };
    assert_eq!(with(&["tasks", "list", "-o", "name"]).0, Some(0));
    assert_eq!(with(&["agents", "list"]).0, Some(4));
    let (code, who) = with(&["auth", "whoami", "-o", "json"]);
    let who: serde_json::Value = serde_json::from_str(&who).unwrap();
    assert_eq!((code, who["who"].as_str()), (Some(0), Some("admin")));
    assert_eq!(who["permissions"], serde_json::json!(["task:read"]));
    assert!(who["expires_at"].is_string());
    assert_eq!(with(&["auth", "token"]).0, Some(2), "a token buys no token");
    let long = shell.run(&["auth", "token", "--expires", "30d"]);
    assert_ne!(long.code, Some(0));
    shell.file("broken.token", "a.b.c");
    let broken = shell.run(&["auth", "whoami", "--token-file", "broken.token"]);
    assert_eq!(broken.code, Some(4));
}
