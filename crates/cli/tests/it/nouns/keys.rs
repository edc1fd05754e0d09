//! `mcpanel keys`.

use crate::shell::{Ran, Shell};

#[test]
fn a_key_opens_what_it_names_until_it_is_revoked() {
    let shell = Shell::open();
    let made = shell
        .run(&[
            "keys",
            "create",
            "night",
            "-p",
            "task:read,task:create",
            "--expires",
            "30d",
            "-o",
            "json",
        ])
        .json();
    let secret = made["api_key"].as_str().unwrap();
    let id = made["key"]["key_id"].as_str().unwrap();
    assert!(made["key"]["expires_at"].is_string());
    let with = |arguments: &[&str]| {
        let output = shell
            .command(arguments)
            .env("MCPANEL_API_KEY", secret)
            .output();
        Ran::of(output.unwrap())
    };
    with(&["tasks", "list"]).ok();
    let forbidden = with(&["agents", "list"]).refused(4);
    assert!(forbidden.contains("mcpanel keys create"), "{forbidden}");
    shell.file("secret", secret);
    shell.run(&["tasks", "list", "--token-file", "secret"]).ok();
    shell
        .feed(&["tasks", "list", "--token-file", "-"], secret)
        .ok();
    assert_eq!(
        shell
            .run(&["agents", "list", "--token-file", "secret"])
            .code,
        Some(4)
    );

    assert_eq!(shell.run(&["keys", "revoke", id]).code, Some(2));
    shell.run(&["keys", "revoke", id, "--yes"]).ok();
    assert_eq!(with(&["tasks", "list"]).code, Some(4));
    let table = shell.run(&["keys", "list"]).ok();
    assert!(
        table.contains(&format!("{id}\tnight\t")) && table.contains("\trevoked\t"),
        "{table}"
    );
    assert!(!table.contains(secret));
}

#[test]
fn a_secret_is_never_lost_by_accident() {
    let shell = Shell::open();
    let refused = shell
        .run(&["keys", "create", "x", "-p", "task:read", "-o", "name"])
        .refused(2);
    assert!(refused.contains("--secret-file"), "{refused}");
    let create = [
        "keys",
        "create",
        "x",
        "-p",
        "task:read",
        "-o",
        "name",
        "--secret-file",
        "s.key",
    ];
    let ran = shell.run(&create);
    assert!(ran.err.contains("the secret is in `s.key`"), "{}", ran.err);
    assert!(ran.ok().starts_with("key_"));
    shell.run(&["tasks", "list", "--token-file", "s.key"]).ok();
    #[cfg(unix)]
    {
        let about = std::fs::metadata(shell.folder.path().join("s.key")).unwrap();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777,
            0o600
        );
    }
    let there = shell.run(&create).refused(1);
    assert!(there.contains("cannot write `s.key`"), "{there}");
    assert_eq!(
        shell.run(&["keys", "list", "-o", "name"]).lines().len(),
        1,
        "none was made in vain"
    );
}

#[test]
fn a_permission_that_is_none_is_named() {
    let shell = Shell::open();
    let refused = shell
        .run(&["keys", "create", "x", "-p", "task:fly"])
        .refused(2);
    assert!(refused.contains("`task:fly` is no permission"), "{refused}");
    let refused = shell
        .run(&[
            "keys",
            "create",
            "x",
            "-p",
            "task:read",
            "--expires",
            "soon",
        ])
        .refused(2);
    assert!(refused.contains("no duration such as `30d`"), "{refused}");
}

#[test]
fn a_key_of_a_role_may_what_the_role_may() {
    let shell = Shell::open();
    let make = |arguments: &[&str]| {
        let create = [&["keys", "create"], arguments, &["-o", "json"]].concat();
        shell.run(&create).json()["key"]["permissions"].clone()
    };
    let operator = make(&["one", "--role", "operator"]);
    let may = |word: &str| operator.as_array().unwrap().contains(&word.into());
    assert!(may("task:manage") && may("task:read"), "{operator}");
    assert!(!may("key:manage") && !may("template:manage"), "{operator}");
    let more = make(&["two", "--role", "read-only", "-p", "template:manage"]);
    assert!(more.as_array().unwrap().contains(&"template:manage".into()));
    make(&["three", "--role", "admin"]);
    make(&["four", "-p", "task:manage"]);
    let roles = shell.run(&["keys", "list", "--columns", "name,role"]).ok();
    for row in [
        "one\toperator",
        "two\tcustom",
        "three\tadmin",
        "four\tcustom",
    ] {
        assert!(roles.lines().any(|line| line == row), "{row}: {roles}");
    }
    shell.run(&["keys", "create", "five"]).refused(2);
    let refused = shell
        .run(&["keys", "create", "five", "--role", "king"])
        .refused(2);
    assert!(refused.contains("read-only"), "{refused}");
}
