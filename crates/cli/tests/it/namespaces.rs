//! `--namespace`: whose documents an administrator looks at.

use crate::shell::{Ran, Shell};

const THERE: [&str; 2] = ["--namespace", "team-a"];

#[test]
fn an_administrator_works_in_the_namespace_that_is_named() {
    let shell = Shell::open();
    let submit = ["tasks", "submit", "--type", "demo", "--id", "theirs"];
    shell.run(&[&submit[..], &THERE].concat()).ok();
    let ours = shell.run(&["tasks", "list", "-o", "name"]).ok();
    assert_eq!(ours, "", "another namespace is not seen");
    assert_eq!(shell.run(&["tasks", "get", "theirs"]).code, Some(3));
    let list = ["tasks", "list", "-o", "json"];
    let theirs = shell.run(&[&list[..], &THERE].concat()).json();
    assert_eq!(theirs[0]["namespace"], "team-a");
    let mut by_variable = shell.command(&["tasks", "list", "-o", "name"]);
    by_variable.env("MCPANEL_NAMESPACE", "team-a");
    assert_eq!(Ran::of(by_variable.output().unwrap()).ok(), "theirs\n");
    let whoami = ["auth", "whoami", "-o", "json"];
    let who = shell.run(&[&whoami[..], &THERE].concat()).json();
    assert_eq!(who["namespace"], "team-a");
}

#[test]
fn a_key_opens_the_namespace_in_which_it_is_made_and_no_other() {
    let shell = Shell::open();
    let create = [
        "keys",
        "create",
        "x",
        "-p",
        "task:read",
        "--secret-file",
        "a.key",
    ];
    shell.run(&[&create[..], &THERE].concat()).ok();
    let list = ["tasks", "list", "--token-file", "a.key"];
    shell.run(&list).ok();
    shell.run(&[&list[..], &THERE].concat()).ok();
    let refused = shell
        .run(&[&list[..], &["--namespace", "team-b"]].concat())
        .refused(4);
    assert!(refused.contains("only an administrator"), "{refused}");
}

#[test]
fn a_context_keeps_its_namespace() {
    let shell = Shell::open();
    let config = shell.folder.path().join("config");
    let run = |arguments: &[&str]| {
        let mut command = shell.command(arguments);
        command.env("XDG_CONFIG_HOME", &config);
        Ran::of(command.output().unwrap())
    };
    let url = shell.server.url.as_str();
    run(&["context", "add", "a", "--url", url, "--namespace", "team-a"]).ok();
    run(&["tasks", "submit", "--type", "demo", "--id", "theirs"]).ok();
    let own = run(&["tasks", "list", "-o", "name", "--namespace", "default"]);
    assert_eq!(own.ok(), "", "what was typed comes first");
    assert_eq!(run(&["tasks", "list", "-o", "name"]).ok(), "theirs\n");
    let odd = run(&["tasks", "list", "--namespace", "a/b"]);
    assert_eq!(odd.code, Some(2));
}
