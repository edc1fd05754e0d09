//! `mcpanel agents`.

use mcpanel_api::task::Complete;

use crate::shell::{Ran, Shell, a_moment};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_are_seen_and_steered() {
    let shell = Shell::open();
    shell.agent("agent-1", "demo").await;
    shell.agent("agent-2", "other").await;
    assert_eq!(
        shell.run(&["agents", "list", "-o", "name"]).lines().len(),
        2
    );
    assert_eq!(
        shell
            .run(&["agents", "list", "--capability", "other", "-o", "name"])
            .ok(),
        "agent-2\n"
    );
    let table = shell.run(&["agents", "list", "--capability", "demo"]).ok();
    assert!(
        table.contains("agent-1\ttester\tactive\topen\t0/4\t20"),
        "{table}"
    );
    let admission = |arguments: &[&str]| shell.run(arguments).json()["admission"].clone();
    assert_eq!(
        admission(&["agents", "disable", "agent-1", "-o", "json"]),
        "disabled"
    );
    assert_eq!(
        admission(&["agents", "resume", "agent-1", "-o", "json"]),
        "open"
    );
    let both = shell
        .run(&["agents", "drain", "agent-1", "agent-2", "-o", "jsonl"])
        .jsonl();
    assert!(
        both.iter().all(|agent| agent["admission"] == "draining"),
        "{both:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_an_agent_is_changed_at_the_revision_that_was_seen() {
    let shell = Shell::open();
    shell.agent("agent-1", "demo").await;
    shell.agent("agent-2", "demo").await;
    let update = |options: &[&str]| {
        let all = [&["agents", "update", "agent-1", "-o", "json"], options].concat();
        shell.run(&all)
    };
    let changed = update(&[
        "--version",
        "2.1.0",
        "--capability",
        "demo,other",
        "--concurrency",
        "9",
        "--endpoint-url",
        "http://agent.example.org",
        "--metadata",
        "{\"ward\": 7}",
    ])
    .json();
    assert_eq!(changed["version"], "2.1.0");
    assert_eq!(
        changed["capabilities"],
        serde_json::json!(["demo", "other"])
    );
    assert_eq!(changed["concurrency"], 9);
    assert_eq!(changed["metadata"]["ward"], 7);
    let revision = changed["revision"].to_string();
    let forgotten = update(&["--no-endpoint-url", "--if-revision", &revision]).json();
    assert!(forgotten["endpoint_url"].is_null(), "{forgotten}");
    let late = update(&["--name", "late", "--if-revision", &revision]).refused(5);
    assert!(late.contains("revision"), "{late}");
    for verb in ["drain", "disable", "resume"] {
        let steer = |more: &[&str]| shell.run(&[&["agents", verb, "agent-1"], more].concat());
        let late = steer(&["--if-revision", &revision]).refused(5);
        assert!(late.contains("revision"), "{late}");
        let unclear = steer(&["agent-2", "--if-revision", &revision]).refused(2);
        assert!(unclear.contains("several are named"), "{unclear}");
    }
    let nothing = shell.run(&["agents", "update", "agent-1"]).refused(2);
    assert!(nothing.contains("--version"), "{nothing}");
    let offered = |status: &str| {
        let all = ["agents", "discover", "--status", status, "-o", "name"];
        shell.run(&all).ok()
    };
    assert_eq!(offered("error"), "");
    assert_eq!(offered("active"), "demo\nother\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_waits_for_what_is_in_hand() {
    let shell = Shell::open();
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "a"])
        .ok();
    let agent = shell.agent("agent-1", "demo").await;
    let task = agent.claim().await;
    let late = shell.run(&["agents", "drain", "agent-1", "--wait", "--timeout", "200ms"]);
    assert_eq!(late.code, Some(8));
    assert!(
        late.err.contains("still holding 1 task after 200 ms"),
        "{}",
        late.err
    );
    let draining = shell.start(&["agents", "drain", "agent-1", "--wait", "-o", "jsonl"]);
    a_moment().await;
    let complete = Complete {
        lease: task.lease.unwrap(),
        result: None,
    };
    agent
        .client
        .complete_task(&task.task_id, &complete)
        .await
        .unwrap();
    let drained = Ran::of(draining.wait_with_output().unwrap()).jsonl();
    assert_eq!(drained[0]["slots_in_use"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_deleted_without_consent() {
    let shell = Shell::open();
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "a"])
        .ok();
    let agent = shell.agent("agent-1", "demo").await;
    agent.claim().await;
    let refused = shell.run(&["agents", "delete", "agent-1"]).refused(2);
    assert!(
        refused.contains("nobody can be asked whether to delete agent `agent-1`"),
        "{refused}"
    );
    assert!(refused.contains("give `--yes`"), "{refused}");
    let dry = shell.run(&["agents", "delete", "agent-1", "--dry-run"]);
    assert_eq!(
        dry.err,
        "would delete agent `agent-1` and take back the 1 task it holds\n"
    );
    assert_eq!(
        shell.run(&["agents", "list", "-o", "name"]).ok(),
        "agent-1\n"
    );
    let done = shell.run(&["agents", "delete", "agent-1", "--yes"]);
    assert_eq!(done.err, "deleted agent `agent-1`\n");
    assert_eq!(done.ok(), "");
    assert_eq!(shell.run(&["agents", "get", "agent-1"]).code, Some(3));
}
