//! How things stand and stood, and searching.

use serde_json::json;

use crate::support::TestServer;

const MINUTE: u64 = 60_000;

#[tokio::test]
async fn history_is_kept_minute_by_minute() {
    let server = TestServer::new().await;
    server.task("work").await;
    server.live_ms(MINUTE).await;
    server.task("work").await;
    server.live_ms(MINUTE).await;
    let history = server.admin().get("/api/v1/metrics/history").await.ok(200);
    assert_eq!(
        (&history["range"], &history["step_ms"]),
        (&json!("1h"), &json!(60_000))
    );
    let points = history["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    assert_eq!(
        (&points[0]["created"], &points[1]["created"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(points[1]["tasks"]["pending"], 2);
    assert_eq!(points[1]["wait_p50_ms"], json!(null));
    assert!(points[1]["oldest_waiting_ms"].as_u64().unwrap() >= 2 * MINUTE);
    for range in ["24h", "7d"] {
        let path = format!("/api/v1/metrics/history?range={range}");
        let longer = server.admin().get(&path).await.ok(200);
        let points = longer["points"].as_array().unwrap();
        let created: u64 = points
            .iter()
            .map(|each| each["created"].as_u64().unwrap())
            .sum();
        assert_eq!(created, 2);
    }
    server
        .admin()
        .get("/api/v1/metrics/history?range=1y")
        .await
        .refused(422, "validation");
}

#[tokio::test]
async fn queues_and_errors_tell_what_is_wrong() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    server
        .task_with(json!({"task_type": "work", "max_retries": 0}))
        .await;
    let (task, lease) = agent.claim_one().await;
    let error =
        json!({"lease": lease, "error": {"type": "validation", "message": "row 12 is broken"}});
    agent.say(&task, "fail", error).await.ok(200);
    server.task("later").await;

    let errors = server.admin().get("/api/v1/tasks/errors").await.ok(200);
    let group = &errors["errors"][0];
    assert_eq!(group["message"], "row # is broken");
    assert_eq!(
        (&group["type"], &group["count"]),
        (&json!("validation"), &json!(1))
    );
    assert_eq!(group["last_task_id"], json!(task));

    let queues = server.admin().get("/api/v1/queues").await.ok(200);
    let queues = queues["queues"].as_array().unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!(
        (&queues[0]["task_type"], &queues[0]["waiting"]),
        (&json!("later"), &json!(1))
    );
    assert_eq!(queues[0]["oldest_waiting_ms"], 0);
}

#[tokio::test]
async fn tasks_are_found_by_what_they_say() {
    let server = TestServer::new().await;
    let found = server
        .task_with(
            json!({"task_type": "work", "parameters": {"text": "I feel \u{e4}ngstlich \"now\""}}),
        )
        .await;
    server.task("work").await;
    let find = async |query: &str| {
        let listed = server
            .admin()
            .get(&format!("/api/v1/tasks?{query}"))
            .await
            .ok(200);
        let tasks = listed["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| task["task_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(find("text=%C3%84NGST").await, std::slice::from_ref(&found));
    assert_eq!(find("text=feel").await, std::slice::from_ref(&found));
    assert_eq!(
        find(&format!("text={found}")).await,
        std::slice::from_ref(&found)
    );
    assert!(find("text=calm").await.is_empty());
    assert_eq!(find("text=feel&task_type=other").await.len(), 0);
    assert_eq!(find("held_by=nobody").await.len(), 0);
    let now = server.now();
    assert_eq!(find(&format!("updated_from={now}")).await.len(), 2);
    assert_eq!(find(&format!("updated_before={now}")).await.len(), 0);
    assert_eq!(find(&format!("ended_from={now}")).await.len(), 0);
}

#[tokio::test]
async fn machines_that_watch_get_all_figures() {
    let server = TestServer::new().await;
    let watcher = server.key("default", &["system:health"]).await;
    let agent = server.agent("one", &["work"]).await;
    for _ in 0..3 {
        server.task("work").await;
    }
    let (task, lease) = {
        let held = agent.claim(1).await;
        let text = |field: &str| held[0][field].as_str().unwrap().to_owned();
        (text("task_id"), text("lease"))
    };
    agent
        .say(&task, "complete", json!({"lease": lease}))
        .await
        .ok(200);
    server.live_ms(MINUTE).await;

    let answer = watcher.get("/metrics").await;

    assert_eq!(answer.status.as_u16(), 200);
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = String::from_utf8(answer.body).unwrap();
    let value = |name: &str| -> f64 {
        let lines = text.lines();
        let found = lines.filter_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        let found: Vec<f64> = found.collect();
        assert_eq!(found.len(), 1, "{name} in\n{text}");
        found[0]
    };
    assert_eq!(value("mcpanel_task_queue_size "), 2.0);
    assert_eq!(value("mcpanel_tasks{status=\"completed\"} "), 1.0);
    assert!(value("mcpanel_task_completion_rate ") > 0.0);
    assert_eq!(value("mcpanel_task_failure_rate "), 0.0);
    assert!(value("mcpanel_store_commits_total ") >= 5.0);
    let counted =
        "mcpanel_request_count_total{method=\"POST\",route=\"/api/v1/tasks\",status=\"2xx\"} ";
    assert_eq!(value(counted), 3.0);
    // What the specification asks for is there, whatever its value.
    for name in [
        "active_agents",
        "task_completion_rate",
        "agent_response_time_seconds",
        "task_queue_size",
        "task_processing_time_seconds",
        "task_failure_rate",
        "pipeline_success_rate",
        "stage_completion_time_seconds",
        "overall_pipeline_time_seconds",
        "request_count_total",
        "error_count_total",
        "response_time_seconds",
    ] {
        let line = format!("# TYPE mcpanel_{name} ");
        assert!(text.contains(&line), "{name} is missing in\n{text}");
    }
    let page = include_str!("../../../../docs/metrics.md");
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/metrics.md lacks `{name}`"
        );
    }
    let elsewhere = server.key("elsewhere", &["system:health"]).await;
    let theirs = String::from_utf8(elsewhere.get("/metrics").await.body).unwrap();
    assert!(theirs.contains("mcpanel_task_queue_size 0\n"), "{theirs}");
}
