//! How failures are told: what is wrong, what to try, what to quote; and the exit code.

use std::net::TcpListener;

use crate::{
    shell::{Ran, Shell, masked},
    support::mcpanel,
};

#[test]
fn failures_say_what_is_wrong_and_what_to_try() {
    let shell = Shell::open();
    let told = |ran: Ran, code| masked(&ran.refused(code), &shell.server);
    insta::assert_snapshot!(
        "failure-not-found",
        told(shell.run(&["tasks", "get", "none"]), 3)
    );
    let faulty = r#"{"task_type": "demo", "priority": 5000, "max_retries": 100000}"#;
    insta::assert_snapshot!(
        "failure-validation",
        told(shell.feed(&["tasks", "submit", "-"], faulty), 1)
    );
    let nobody = shell
        .command(&["tasks", "list"])
        .env("MCPANEL_DATA", "nowhere")
        .output();
    insta::assert_snapshot!("failure-unauthenticated", told(Ran::of(nobody.unwrap()), 4));
    let taken = ["tasks", "submit", "--type", "demo", "--id", "a"];
    shell.run(&taken).ok();
    insta::assert_snapshot!("failure-conflict", told(shell.run(&taken), 5));
}

#[test]
fn a_server_that_is_not_there_is_told_apart() {
    // Free a moment ago, and nobody listens there now.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = mcpanel(["tasks", "list", "--url", &format!("http://{address}")]).output();
    let told = Ran::of(ran.unwrap()).refused(9);
    assert!(
        told.contains(&format!("cannot reach `http://{address}/")),
        "{told}"
    );
    assert!(told.contains("mcpanel serve"), "{told}");
    for wrong in ["localhost", "localhost:8080"] {
        let ran = mcpanel(["tasks", "list", "--url", wrong]).output();
        let told = Ran::of(ran.unwrap()).refused(2);
        assert!(
            told.contains(&format!(
                "`{wrong}` is not the address of a server: it does not begin with `http://`"
            )),
            "{told}"
        );
    }
    let agents = mcpanel(["agents", "run", "--url", &format!("http://{address}")])
        .env("MCPANEL_API_KEY", "mcp_any")
        .output();
    let told = Ran::of(agents.unwrap()).refused(9);
    assert!(!told.contains("six agents work"), "{told}");
}

#[test]
fn a_server_that_knows_no_such_path_is_not_one_without_the_task() {
    let shell = Shell::open();
    let elsewhere = format!("{}/elsewhere", shell.server.url);
    let told = shell
        .run(&["tasks", "get", "a", "--url", &elsewhere])
        .refused(9);
    assert!(
        told.contains("no path `/elsewhere/api/v1/tasks/a`"),
        "{told}"
    );
    assert!(told.contains("sockets have another port"), "{told}");
}

#[test]
fn what_is_wrong_is_told_with_what_would_be_right() {
    let shell = Shell::open();
    shell.file("rows.csv", "a,b\n1,2\n");
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "waiting"])
        .ok();
    for (arguments, code, words) in [
        (&["agents", "get", "none"][..], 3, "`mcpanel agents list`"),
        (&["templates", "get", "none"], 3, "`mcpanel templates list`"),
        (&["ops", "get", "none"], 3, "`mcpanel ops list`"),
        (
            &["pipelines", "create", "--template", "none"],
            1,
            "`mcpanel templates list`",
        ),
        (
            &["tasks", "delegate", "waiting", "--to", "none"],
            1,
            "`mcpanel agents list`",
        ),
        (&["pipelines", "create", "rows.csv"], 2, "--upload FILE"),
        (
            &["tasks", "submit", "--type", "demo", "-p", "{text: hello}"],
            2,
            "`{text: hello}` is not a JSON object",
        ),
        (
            &["tasks", "list", "--token-file", "none"],
            2,
            "an API key or a token",
        ),
        (&["serve", "--http", "8080"], 2, "such as `127.0.0.1:8080`"),
        (&["tasks", "show", "a"], 2, "there are submit, list, get, "),
        (&["list", "tasks"], 2, "`mcpanel tasks list`"),
        (&["tasks", "list", "--limit", "0"], 2, "1 or more"),
        (&["tasks", "list", "--limit", "-1"], 2, "1 or more"),
        (&["auth", "token", "--expires", "400d"], 2, "to a day"),
        (
            &["tasks", "submit", "--type", "demo", "--priority", "5000"],
            1,
            "`--help` of the command",
        ),
    ] {
        let told = shell.run(arguments).refused(code);
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
}

#[test]
fn somebody_who_reads_no_further_is_no_failure() {
    let shell = Shell::open();
    let tasks = "{\"task_type\": \"demo\"}\n".repeat(600);
    shell
        .feed(&["tasks", "submit", "-", "-o", "name"], &tasks)
        .ok();
    let mut child = shell.start(&["tasks", "list", "--all", "-o", "json"]);
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}
