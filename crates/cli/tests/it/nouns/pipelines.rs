//! `mcpanel pipelines` and `mcpanel templates`.

use mcpanel_api::{
    ErrorType,
    task::{Complete, Fail, NewTaskError},
};
use serde_json::json;

use crate::shell::{Agent, Ran, Shell};

/// A template of two stages, one after the other.
fn two_stages(shell: &Shell) {
    let template = json!({
        "template_id": "two",
        "description": "two stages",
        "stages": [
            {"stage": 1, "name": "first", "task_type": "demo"},
            {"stage": 2, "name": "second", "task_type": "demo", "dependencies": [1]},
        ]
    });
    shell
        .feed(&["templates", "create", "-"], &template.to_string())
        .ok();
}

async fn complete(agent: &Agent) {
    let task = agent.claim().await;
    let complete = Complete {
        lease: task.lease.unwrap(),
        result: None,
    };
    agent
        .client
        .complete_task(&task.task_id, &complete)
        .await
        .unwrap();
}

#[test]
fn templates_are_stored_in_versions() {
    let shell = Shell::open();
    two_stages(&shell);
    two_stages(&shell);
    assert_eq!(
        shell.run(&["templates", "get", "two", "-o", "json"]).json()["version"],
        2
    );
    let first = shell
        .run(&[
            "templates",
            "get",
            "two",
            "--template-version",
            "1",
            "-o",
            "json",
        ])
        .json();
    assert_eq!(first["version"], 1);
    let third = ["templates", "get", "two", "--template-version", "3"];
    let missing = shell.run(&third).refused(3);
    assert!(
        missing.contains("template `two` has no version 3")
            && missing.contains("its newest version is 2"),
        "{missing}"
    );
    let names = shell.run(&["templates", "list", "-o", "name"]).lines();
    assert!(
        names.contains(&"two".to_owned()) && names.contains(&"techdeck".to_owned()),
        "{names:?}"
    );
    let table = shell.run(&["templates", "get", "two"]).ok();
    assert!(
        table.contains("STAGE\tNAME\tTYPE\tMODE\tAFTER\tTIMEOUT\n1\tfirst\tdemo\tsingle\t-\t-"),
        "{table}"
    );
    let circle = json!({"template_id": "round", "stages": [
        {"stage": 1, "name": "a", "task_type": "demo", "dependencies": [2]},
        {"stage": 2, "name": "b", "task_type": "demo", "dependencies": [1]},
    ]});
    let refused = shell.feed(&["templates", "create", "-"], &circle.to_string());
    assert_ne!(refused.code, Some(0));
    assert!(refused.err.contains("error:"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_is_watched_to_its_end() {
    let shell = Shell::open();
    two_stages(&shell);
    let agent = shell.agent("agent-1", "demo").await;
    let made = shell
        .run(&[
            "pipelines",
            "create",
            "--template",
            "two",
            "--id",
            "p1",
            "--tag",
            "night",
            "-o",
            "json",
        ])
        .json();
    assert_eq!(
        (made["status"].as_str(), made["name"].as_str()),
        (Some("created"), Some("two"))
    );
    assert_eq!(
        shell
            .run(&["pipelines", "list", "--tag", "night", "-o", "name"])
            .ok(),
        "p1\n"
    );
    shell.run(&["pipelines", "execute", "p1"]).ok();
    let late = shell
        .run(&["pipelines", "watch", "p1", "--timeout", "300ms"])
        .refused(8);
    assert!(late.contains("p1 running 0 %: 1 0 % 2 –"), "{late}");
    let lines = shell.start(&["pipelines", "watch", "p1"]);
    let documents = shell.start(&["pipelines", "watch", "p1", "-o", "jsonl"]);
    let waiting = shell.start(&["pipelines", "wait", "p1", "-o", "name"]);
    complete(&agent).await;
    complete(&agent).await;

    let ran = Ran::of(lines.wait_with_output().unwrap());
    assert!(
        ran.err.contains("p1 completed 100 %: 1 ✓ 2 ✓"),
        "{}",
        ran.err
    );
    assert_eq!(ran.ok(), "p1\n");
    let documents = Ran::of(documents.wait_with_output().unwrap()).jsonl();
    assert_eq!(documents.last().unwrap()["status"], "completed");
    assert_eq!(Ran::of(waiting.wait_with_output().unwrap()).ok(), "p1\n");
    let table = shell.run(&["pipelines", "get", "p1"]).ok();
    assert!(table.contains("STAGES\t2/2"), "{table}");
    assert!(
        table.contains("2\tsecond\tsingle\tcompleted\t100 %\t1/1\t0\t1\t"),
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_pipeline_is_told_and_run_again() {
    let shell = Shell::open();
    two_stages(&shell);
    let agent = shell.agent("agent-1", "demo").await;
    let watching = shell.start(&[
        "pipelines",
        "create",
        "--template",
        "two",
        "--id",
        "p1",
        "--watch",
    ]);
    let task = agent.claim().await;
    let error = NewTaskError {
        kind: ErrorType::Validation,
        message: "no column `text`".to_owned(),
        details: None,
    };
    let lease = task.lease.unwrap();
    agent
        .client
        .fail_task(&task.task_id, &Fail { lease, error })
        .await
        .unwrap();
    let watched = Ran::of(watching.wait_with_output().unwrap());
    assert_eq!(watched.code, Some(6));
    assert!(
        watched.err.contains("pipeline `p1` failed: "),
        "{}",
        watched.err
    );
    assert_eq!(shell.run(&["pipelines", "wait", "p1"]).code, Some(6));
    let again = shell
        .run(&[
            "pipelines",
            "retry",
            "p1",
            "--from-stage",
            "1",
            "-o",
            "json",
        ])
        .json();
    assert_eq!(again["status"], "running");
    let dry = shell.run(&["pipelines", "cancel", "p1", "--dry-run"]);
    assert_eq!(
        dry.err,
        "would cancel pipeline `p1` with 1 open task\npipeline `p1` is running\n"
    );
    shell
        .run(&["pipelines", "cancel", "p1", "--reason", "enough", "--yes"])
        .ok();
    assert_eq!(
        shell.run(&["pipelines", "wait", "p1", "-o", "name"]).code,
        Some(7)
    );
    assert_eq!(shell.run(&["pipelines", "execute", "p1"]).code, Some(5));
}

#[test]
fn a_pipeline_is_made_from_a_file_or_with_one() {
    let shell = Shell::open();
    two_stages(&shell);
    let given = json!({"pipeline_id": "p1", "name": "by file", "template": "two"}).to_string();
    shell.file("pipeline.json", &given);
    let dry = shell
        .run(&[
            "pipelines",
            "create",
            "pipeline.json",
            "--execute",
            "--dry-run",
        ])
        .json();
    assert_eq!(dry["execute"], true);
    assert_eq!(shell.run(&["pipelines", "list", "-o", "name"]).ok(), "");
    shell.run(&["pipelines", "create", "pipeline.json"]).ok();
    assert_eq!(
        shell.run(&["pipelines", "create", "pipeline.json"]).code,
        Some(5),
        "the id is taken"
    );

    shell.file("rows.csv", "a,b\n1,2\n");
    let key = ["--idempotency-key", "night-1"];
    let create = [
        "pipelines",
        "create",
        "--template",
        "two",
        "--upload",
        "rows.csv",
        "-o",
        "json",
    ];
    let with_file = shell.run(&[&create[..], &key[..]].concat()).json();
    let again = shell.run(&[&create[..], &key[..]].concat()).json();
    assert_eq!(again["pipeline_id"], with_file["pipeline_id"]);
    let artifact = with_file["input_data"]["artifact_id"].as_str().unwrap();
    let stored = shell
        .run(&["artifacts", "get", artifact, "-o", "json"])
        .json();
    assert_eq!(
        (stored["name"].as_str(), stored["role"].as_str()),
        (Some("rows.csv"), Some("input"))
    );
}

#[test]
fn a_dry_run_refuses_what_a_server_would() {
    let shell = Shell::open();
    let circle = json!([
        {"stage": 1, "name": "first", "task_type": "demo", "dependencies": [2]},
        {"stage": 2, "name": "second", "task_type": "demo", "dependencies": [1]},
    ]);
    let template = json!({"template_id": "two", "stages": circle});
    shell.file("template.json", &template.to_string());
    let pipeline = json!({"name": "p", "stages": circle});
    shell.file("pipeline.json", &pipeline.to_string());
    for (arguments, code, words) in [
        (&["templates", "create", "template.json"][..], 2, "/stages"),
        (&["pipelines", "create", "pipeline.json"], 2, "/stages"),
        (
            &[
                "pipelines",
                "create",
                "--template",
                "two",
                "--priority",
                "5000",
            ],
            2,
            "`/priority`: is 5000",
        ),
        (
            &[
                "pipelines",
                "create",
                "--template",
                "two",
                "--upload",
                "none.csv",
            ],
            1,
            "cannot read `none.csv`",
        ),
    ] {
        let told = shell
            .run(&[arguments, &["--dry-run"]].concat())
            .refused(code);
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
}

#[test]
fn how_far_a_pipeline_is_is_told_at_once() {
    let shell = Shell::open();
    two_stages(&shell);
    let made = shell.run(&[
        "pipelines",
        "run",
        "--template",
        "two",
        "--id",
        "p",
        "--description",
        "of March",
        "--metadata",
        "{\"ward\": 7}",
        "-o",
        "json",
    ]);
    let made = made.json();
    assert_eq!(made["description"], "of March");
    assert_eq!(made["metadata"]["ward"], 7);
    let told = shell.run(&["pipelines", "progress", "p"]);
    assert!(told.err.contains("`p` is running, 0 %"), "{}", told.err);
    let table = told.lines();
    assert!(table[0].starts_with("STAGE\tNAME\tSTATUS\t"), "{table:?}");
    assert!(
        table[1].starts_with("1\tfirst\trunning\t0 %\t0/1\t0\t"),
        "{table:?}"
    );
    let chosen = shell.run(&["pipelines", "get", "p", "--columns", "name,tags"]);
    assert_eq!(chosen.ok(), "NAME\ttwo\nTAGS\t-\n");
    let chosen = shell.run(&["templates", "get", "two", "--columns", "version"]);
    assert_eq!(chosen.ok(), "VERSION\t1\n");
    let document = shell
        .run(&["pipelines", "progress", "p", "-o", "json"])
        .json();
    assert_eq!(document["stages"].as_array().unwrap().len(), 2);
    let update = |options: &[&str]| {
        let all = [&["pipelines", "update", "p", "-o", "json"], options].concat();
        shell.run(&all).json()
    };
    let tagged = update(&["--tag", "a,b", "--metadata", "{}"]);
    assert_eq!(tagged["tags"], json!(["a", "b"]));
    assert_eq!(tagged["metadata"], json!({}));
    assert_eq!(update(&["--no-tags"])["tags"], json!([]));
}
