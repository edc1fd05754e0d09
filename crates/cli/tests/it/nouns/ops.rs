//! `mcpanel tasks retry` and `cancel` by what tasks have in common, `mcpanel ops`, and figures.

use mcpanel_api::{
    ErrorType,
    task::{Fail, NewTaskError},
};

use crate::shell::{Shell, a_moment};

/// Three tasks of a type, the first of which has failed for good.
async fn three(shell: &Shell) {
    let tasks: String = ["a", "b", "c"]
        .map(|id| format!(r#"{{"task_type": "demo", "task_id": "{id}", "max_retries": 0}}"#))
        .concat();
    shell
        .feed(&["tasks", "submit", "-", "-o", "name"], &tasks)
        .ok();
    let agent = shell.agent("agent-1", "demo").await;
    let task = agent.claim().await;
    let error = NewTaskError {
        kind: ErrorType::Validation,
        message: "no column `text` in file 17".to_owned(),
        details: None,
    };
    let fail = Fail {
        lease: task.lease.unwrap(),
        error,
    };
    agent.client.fail_task(&task.task_id, &fail).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_changed_by_what_they_have_in_common() {
    let shell = Shell::open();
    three(&shell).await;
    let retry = ["tasks", "retry", "--status", "failed", "--text", "COLUMN"];
    let refused = shell.run(&retry).refused(2);
    assert!(
        refused.contains("whether to retry 1 task") && refused.contains("--yes"),
        "{refused}"
    );
    let dry = shell.run(&[&retry[..], &["--dry-run"]].concat());
    assert_eq!(
        (dry.err.as_str(), dry.out.as_str()),
        ("would retry 1 task\n", "")
    );
    let done = shell.run(&[&retry[..], &["--yes", "--wait", "-o", "json"]].concat());
    assert!(done.err.contains("retry 1 task"), "{}", done.err);
    let operation = done.json();
    assert_eq!(operation["status"], "completed");
    assert_eq!(operation["done"], 1);
    let failed = ["tasks", "list", "--status", "failed", "-o", "name"];
    assert_eq!(shell.run(&failed).ok(), "");

    let cancel = [
        "tasks",
        "cancel",
        "--type",
        "demo",
        "--yes",
        "--reason",
        "night is over",
    ];
    let begun = shell.run(&[&cancel[..], &["-o", "name"]].concat());
    assert!(begun.err.contains("mcpanel ops watch op_"), "{}", begun.err);
    let id = begun.ok().trim().to_owned();
    let watched = shell
        .run(&["ops", "watch", &id, "--every", "200ms"])
        .jsonl();
    assert_eq!(watched.last().unwrap()["status"], "completed");
    assert_eq!(watched.last().unwrap()["done"], 3);
    let listed = shell.run(&["ops", "list", "-o", "name"]).lines();
    assert_eq!((listed.len(), listed[0].as_str()), (2, id.as_str()));
    let fields = shell.run(&["ops", "get", &id]).ok();
    assert!(fields.contains("REASON\tnight is over\n"), "{fields}");
    let ended = shell.run(&["ops", "abort", &id, "--yes"]).refused(5);
    assert!(ended.contains("error:"), "{ended}");
    let none = shell.run(&["tasks", "cancel", "--type", "nothing", "--yes"]);
    assert!(
        none.err.contains("there is no task to cancel"),
        "{}",
        none.err
    );
    assert_eq!(none.ok(), "");
}

#[test]
fn nobody_means_all_tasks_by_accident() {
    let shell = Shell::open();
    for arguments in [
        &["tasks", "cancel", "--yes"][..],
        &["tasks", "retry"],
        &["tasks", "cancel", "a", "--type", "demo"],
        &["tasks", "cancel", "a", "--all"],
        &["tasks", "retry", "--stage", "1"],
    ] {
        assert_eq!(shell.run(arguments).code, Some(2), "{arguments:?}");
    }
    shell
        .run(&["tasks", "submit", "--type", "demo", "--id", "a"])
        .ok();
    let all = ["tasks", "cancel", "--all", "--yes", "--wait", "-o", "json"];
    assert_eq!(shell.run(&all).json()["done"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_find_what_is_looked_for() {
    let shell = Shell::open();
    three(&shell).await;
    let found = |arguments: &[&str]| {
        let list = [&["tasks", "list", "-o", "name"], arguments].concat();
        shell.run(&list).lines()
    };
    assert_eq!(found(&["--text", "no column"]).len(), 1);
    assert_eq!(found(&["--since", "1h"]).len(), 3);
    assert_eq!(found(&["--until", "1h"]).len(), 0);
    assert_eq!(found(&["--ended-since", "1h"]).len(), 1);
    assert_eq!(found(&["--held-by", "agent-1"]).len(), 0);
    assert_eq!(found(&["--agent", "agent-1"]).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_shown() {
    let shell = Shell::open();
    three(&shell).await;
    a_moment().await;
    let queues = shell
        .run(&["queues", "--columns", "type,waiting,running"])
        .ok();
    assert_eq!(queues, "TYPE\tWAITING\tRUNNING\ndemo\t2\t0\n");
    let errors = shell.run(&["tasks", "errors", "-o", "json"]).json();
    assert_eq!(errors[0]["count"], 1);
    assert_eq!(errors[0]["type"], "validation");
    let history = shell
        .run(&["history", "--range", "24h", "-o", "json"])
        .json();
    assert_eq!(history["range"], "24h");
    assert_eq!(shell.run(&["history", "--range", "1y"]).code, Some(2));
}
