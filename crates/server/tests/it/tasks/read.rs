use serde_json::{Value, json};

use crate::support::TestServer;

fn ids(page: &Value) -> Vec<String> {
    let tasks = page["tasks"].as_array().unwrap().iter();
    tasks
        .map(|task| task["task_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_hold_every_task_once_newest_first_while_others_are_made() {
    let server = TestServer::new().await;
    let mut expected = Vec::new();
    for n in 0..25 {
        expected.push(
            server
                .task_with(json!({"task_type": "work", "task_id": format!("t-{n:02}")}))
                .await,
        );
        if n % 3 == 0 {
            server.advance_ms(1);
        }
    }
    expected.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/tasks?limit=4".to_owned();
    loop {
        let page = server.admin().get(&path).await.ok(200);
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/tasks?limit=4&cursor={cursor}");
        server.advance_ms(1);
        server.task("later").await;
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_list_is_filtered_by_all_that_is_named() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["a"]).await;
    for (id, kind) in [("a1", "a"), ("b1", "b")] {
        server
            .task_with(json!({"task_type": kind, "task_id": id}))
            .await;
    }
    agent.claim_one().await;
    // Where short leases stay out of the documents, lists tell of them when they are written.
    server.live_ms(2_000).await;
    let list = async |query: &str| {
        ids(&server
            .admin()
            .get(&format!("/api/v1/tasks?{query}"))
            .await
            .ok(200))
    };
    assert_eq!(list("status=assigned").await, ["a1"]);
    assert_eq!(list("task_type=b").await, ["b1"]);
    assert_eq!(list("assigned_agent_id=one").await, ["a1"]);
    assert!(list("status=pending&task_type=a").await.is_empty());
}

#[tokio::test]
async fn explain_names_the_exact_blocker() {
    let server = TestServer::new().await;
    let explain = async |id: &str| {
        server
            .admin()
            .get(&format!("/api/v1/tasks/{id}/explain"))
            .await
            .ok(200)
    };
    server
        .task_with(json!({"task_type": "work", "task_id": "first"}))
        .await;
    server
        .task_with(json!({"task_type": "work", "task_id": "second", "dependencies": ["first"]}))
        .await;

    let told = explain("first").await;
    assert_eq!(told["blockers"][0]["kind"], "no_capable_agent");
    assert_eq!(told["blockers"][0]["capability"], "work");
    let agent = server.agent("one", &["work"]).await;
    let told = explain("second").await;
    assert_eq!(told["blockers"][0]["kind"], "dependency");
    assert_eq!(told["blockers"][0]["task_id"], "first");
    assert_eq!(
        told["summary"],
        "it waits for task `first`, which is pending"
    );

    let due = server.now().plus_ms(60_000).to_string();
    server
        .task_with(json!({"task_type": "work", "task_id": "later", "run_at": due}))
        .await;
    assert_eq!(explain("later").await["blockers"][0]["at"], due);
    server
        .task_with(json!({"task_type": "work", "task_id": "theirs", "agent_id": "nobody"}))
        .await;
    assert_eq!(
        explain("theirs").await["blockers"][0]["kind"],
        "target_agent"
    );

    let (_, lease) = agent.claim_one().await;
    agent
        .say("first", "start", json!({"lease": lease}))
        .await
        .ok(200);
    server
        .admin()
        .post("/api/v1/tasks/first/cancel", json!({}))
        .await
        .ok(200);
    let told = explain("first").await;
    assert_eq!(told["blockers"][0]["kind"], "cancel_requested");
    assert_eq!(told["blockers"][0]["agent_id"], "one");
}

#[tokio::test]
async fn logs_are_read_in_pages_and_followed() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    let lines: Vec<Value> = (0..5)
        .map(|n| json!({"level": "info", "message": format!("line {n}")}))
        .collect();
    agent
        .say(&task, "logs", json!({"lease": lease, "lines": lines}))
        .await
        .ok(204);
    let path = format!("/api/v1/tasks/{task}/logs");

    let first = server.admin().get(&format!("{path}?limit=3")).await.ok(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server
        .admin()
        .get(&format!("{path}?limit=3&cursor={cursor}"))
        .await
        .ok(200);

    let messages = |page: &Value| -> Vec<String> {
        let lines = page["lines"].as_array().unwrap().iter();
        lines
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(messages(&first), ["line 0", "line 1", "line 2"]);
    assert_eq!(messages(&second), ["line 3", "line 4"]);
    assert_eq!(second["next_cursor"], json!(null));
    assert_eq!(second["lines"][1]["attempt"], 1);
}

#[tokio::test]
async fn log_lines_need_the_lease() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    agent.claim_one().await;
    let body =
        json!({"lease": format!("1-{:032x}", 7), "lines": [{"level": "info", "message": "x"}]});
    agent
        .say(&task, "logs", body)
        .await
        .refused(409, "stale_lease");
    let page = server
        .admin()
        .get(&format!("/api/v1/tasks/{task}/logs"))
        .await
        .ok(200);
    assert_eq!(page["lines"], json!([]));
}
