//! `mcpanel tasks`: seeing and steering.

use mcpanel_api::{
    ErrorType,
    task::{AppendLogs, Complete, Fail, LogLevel, NewLogLine, NewTaskError},
};

use crate::shell::{Agent, Ran, Shell, a_moment, masked};

fn submit(shell: &Shell, id: &str) {
    shell
        .run(&[
            "tasks",
            "submit",
            "--type",
            "demo",
            "--id",
            id,
            "--max-retries",
            "0",
        ])
        .ok();
}

async fn log(agent: &Agent, lease: &str, id: &str, level: LogLevel, message: &str) {
    let lines = AppendLogs {
        lease: lease.to_owned(),
        lines: vec![NewLogLine {
            level,
            message: message.to_owned(),
            timestamp: None,
        }],
    };
    agent
        .client
        .append_logs(&id.parse().unwrap(), &lines)
        .await
        .unwrap();
}

async fn complete(agent: &Agent, lease: String, id: &str) {
    let complete = Complete {
        lease,
        result: None,
    };
    agent
        .client
        .complete_task(&id.parse().unwrap(), &complete)
        .await
        .unwrap();
}

#[test]
fn a_list_has_a_form_for_people_and_three_for_programs() {
    let shell = Shell::open();
    submit(&shell, "a");
    submit(&shell, "b");
    let table = shell.run(&["tasks", "list"]).ok();
    insta::assert_snapshot!("tasks-list-piped", masked(&table, &shell.server));
    assert_eq!(shell.run(&["tasks", "list", "-o", "name"]).ok(), "b\na\n");
    assert_eq!(
        shell.run(&["tasks", "list", "-o", "jsonl"]).jsonl()[1]["task_id"],
        "a"
    );
    assert_eq!(
        shell.run(&["tasks", "list", "-o", "json"]).json()[0]["task_id"],
        "b"
    );
    assert_eq!(
        shell
            .run(&["tasks", "list", "--status", "failed", "-o", "json"])
            .json(),
        serde_json::json!([])
    );
    let one = shell.run(&["tasks", "get", "a"]).ok();
    insta::assert_snapshot!("tasks-get-piped", masked(&one, &shell.server));
}

#[test]
fn a_long_list_is_read_page_by_page() {
    let shell = Shell::open();
    let tasks: String = (0..1_203).map(|_| "{\"task_type\": \"demo\"}\n").collect();
    shell
        .feed(&["tasks", "submit", "-", "-o", "name"], &tasks)
        .ok();
    let all = shell.run(&["tasks", "list", "--all", "-o", "name"]);
    assert_eq!(all.err, "");
    let all = all.lines();
    assert_eq!(all.len(), 1_203);
    let some = shell.run(&["tasks", "list", "--limit", "501", "-o", "name"]);
    assert!(
        some.err.contains("there are more than these 501"),
        "{}",
        some.err
    );
    assert_eq!(some.lines(), all[..501]);
    assert_eq!(
        shell
            .run(&["tasks", "list", "--all", "-o", "json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        1_203
    );
}

#[test]
fn colours_are_for_terminals_alone() {
    let shell = Shell::open();
    submit(&shell, "a");
    for arguments in [
        &["tasks", "list"][..],
        &["tasks", "get", "a"],
        &["tasks", "get", "none"],
    ] {
        let ran = shell.run(arguments);
        assert!(
            !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
            "{ran:?}"
        );
    }
    let forced = shell
        .command(&["tasks", "get", "none"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(Ran::of(forced).err.contains('\u{1b}'));
    let refused = shell
        .command(&["tasks", "get", "none"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(!Ran::of(refused).err.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_to_cancel_is_shown_until_the_agent_has_stopped() {
    let shell = Shell::open();
    let agent = shell.agent("ada", "demo").await;
    submit(&shell, "a");
    agent.claim().await;
    shell.run(&["tasks", "cancel", "a", "--yes"]).ok();
    let fields = shell.run(&["tasks", "get", "a"]).ok();
    assert!(fields.contains("\nCANCEL\tasked for"), "{fields}");
    let row = shell.run(&["tasks", "list", "--columns", "task,error,cancel-asked"]);
    assert_eq!(
        row.ok(),
        "TASK\tERROR\tCANCEL ASKED\na\tcancel asked for\tyes\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_tells_how_it_ended() {
    let shell = Shell::open();
    for id in ["done", "bad", "gone", "slow"] {
        submit(&shell, id);
    }
    shell
        .run(&[
            "tasks",
            "cancel",
            "gone",
            "slow",
            "--reason",
            "not wanted",
            "--dry-run",
        ])
        .ok();
    let cancelled = shell
        .run(&[
            "tasks",
            "cancel",
            "gone",
            "--reason",
            "not wanted",
            "--yes",
            "-o",
            "json",
        ])
        .json();
    assert_eq!(cancelled["status"], "cancelled");
    let late = shell.run(&["tasks", "wait", "slow", "--timeout", "200ms", "-o", "name"]);
    assert_eq!((late.code, late.out.as_str()), (Some(8), "slow\n"));
    assert!(
        late.err.contains("1 task not completed after 200 ms"),
        "{}",
        late.err
    );

    let agent = shell.agent("agent-1", "demo").await;
    let waiting = shell.start(&[
        "tasks",
        "wait",
        "done",
        "bad",
        "--for",
        "ended",
        "--timeout",
        "60s",
        "-o",
        "name",
    ]);
    for _ in 0..3 {
        let task = agent.claim().await;
        let lease = task.lease.clone().unwrap();
        match task.task_id.as_str() {
            "done" => complete(&agent, lease, "done").await,
            "bad" => {
                let error = NewTaskError {
                    kind: ErrorType::Validation,
                    message: "no column `text`".to_owned(),
                    details: None,
                };
                let fail = Fail { lease, error };
                agent.client.fail_task(&task.task_id, &fail).await.unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(
        Ran::of(waiting.wait_with_output().unwrap()).ok(),
        "done\nbad\n"
    );
    shell
        .run(&["tasks", "wait", "done", "--timeout", "1s"])
        .ok();
    let failed = shell.run(&["tasks", "wait", "done", "bad", "gone", "-o", "name"]);
    assert_eq!(failed.code, Some(6));
    assert!(
        failed.err.contains("task `bad` failed: no column `text`"),
        "{}",
        failed.err
    );
    assert_eq!(shell.run(&["tasks", "wait", "done", "gone"]).code, Some(7));
    assert_eq!(shell.run(&["tasks", "wait", "none"]).code, Some(3));

    let attempts = shell
        .run(&["tasks", "attempts", "bad", "-o", "json"])
        .json();
    assert_eq!(attempts[0]["outcome"], "failed");
    let again = shell
        .run(&["tasks", "retry", "bad", "gone", "-o", "jsonl"])
        .jsonl();
    assert!(
        again.iter().all(|task| task["status"] == "pending"),
        "{again:?}"
    );
    let conflict = shell.run(&["tasks", "retry", "done"]).refused(5);
    assert!(conflict.contains("try:"), "{conflict}");
}

#[test]
fn of_several_each_is_tried() {
    let shell = Shell::open();
    submit(&shell, "a");
    submit(&shell, "b");
    let cancel = ["tasks", "cancel", "a", "none", "b", "-o", "name"];
    let refused = shell.run(&cancel).refused(2);
    assert!(
        refused.contains("whether to cancel 3 tasks: `a`, `none`, `b`")
            && refused.contains("--yes"),
        "{refused}"
    );
    let ran = shell.run(&[&cancel[..], &["--yes"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), "a\nb\n"));
    assert!(ran.err.starts_with("cancel 3 tasks: "), "{}", ran.err);
    assert!(ran.err.contains("`none`: no task `none`"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_followed_to_its_end() {
    let shell = Shell::open();
    submit(&shell, "a");
    let agent = shell.agent("agent-1", "demo").await;
    let lease = agent.claim().await.lease.unwrap();
    log(&agent, &lease, "a", LogLevel::Debug, "first \u{1b}[31mline").await;
    let following = shell.start(&["tasks", "logs", "a", "--follow"]);
    let loud = shell.start(&["tasks", "logs", "a", "-f", "--level", "warn", "-o", "jsonl"]);
    a_moment().await;
    log(&agent, &lease, "a", LogLevel::Error, "last line").await;
    complete(&agent, lease, "a").await;

    let lines = Ran::of(following.wait_with_output().unwrap()).lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].ends_with("#1 debug    first  [31mline"),
        "{}",
        lines[0]
    );
    assert!(lines[1].ends_with("#1 error    last line"), "{}", lines[1]);
    let loud = Ran::of(loud.wait_with_output().unwrap()).jsonl();
    assert_eq!(loud.len(), 1);
    assert_eq!(loud[0]["message"], "last line");
    assert_eq!(
        shell.run(&["tasks", "logs", "a", "--attempt", "2"]).ok(),
        ""
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_explained_and_handed_over() {
    let shell = Shell::open();
    submit(&shell, "a");
    let why = shell.run(&["tasks", "explain", "a"]).ok();
    assert!(why.contains("`demo`"), "{why}");
    let whole = shell.run(&["tasks", "explain", "a", "-o", "json"]).json();
    assert_eq!(whole["blockers"][0]["kind"], "no_capable_agent");
    shell.agent("agent-1", "demo").await;
    let handed = shell
        .run(&["tasks", "delegate", "a", "--to", "agent-1", "-o", "json"])
        .json();
    assert_eq!(handed["agent_id"], "agent-1");
}

#[test]
fn what_a_waiting_task_is_told_is_changed() {
    let shell = Shell::open();
    submit(&shell, "first");
    shell.file("kept.json", "{\"ward\": 7}");
    let made = shell.run(&[
        "tasks",
        "submit",
        "--type",
        "demo",
        "--id",
        "a",
        "--capability",
        "demo,other",
        "--deadline",
        "2099-01-02T03:04:05Z",
        "--retry-config",
        "{\"maxRetries\": 7}",
        "--metadata",
        "@kept.json",
        "-o",
        "json",
    ]);
    let made = made.json();
    assert_eq!(made["capabilities"], serde_json::json!(["demo", "other"]));
    assert_eq!(made["deadline"], "2099-01-02T03:04:05.000Z");
    assert_eq!(made["retry_config"]["maxRetries"], 7);
    assert_eq!(made["metadata"]["ward"], 7);
    let update = |options: &[&str]| {
        let all = [&["tasks", "update", "a", "-o", "json"], options].concat();
        shell.run(&all)
    };
    let changed = update(&[
        "--retry-config",
        "{\"maxRetries\": 2, \"retryableErrors\": [\"network\"]}",
        "--after",
        "first",
        "--metadata",
        "{\"ward\": 8}",
    ])
    .json();
    assert_eq!(changed["retry_config"]["maxRetries"], 2);
    assert_eq!(
        changed["retry_config"]["retryableErrors"],
        serde_json::json!(["network"])
    );
    assert_eq!(changed["dependencies"], serde_json::json!(["first"]));
    assert_eq!(changed["metadata"]["ward"], 8);
    let free = update(&["--after-nothing"]).json();
    assert_eq!(free["dependencies"], serde_json::json!([]));
    for wrong in ["7", "{\"maxretries\": 1}", "{"] {
        let refused = update(&["--retry-config", wrong]).refused(2);
        assert!(refused.contains("initialDelay"), "{refused}");
    }
}
