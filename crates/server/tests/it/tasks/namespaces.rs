//! What belongs to another namespace looks as if it did not exist.

use serde_json::{Value, json};

use crate::support::TestServer;

#[tokio::test]
async fn a_stranger_sees_for_every_call_what_a_nonexistent_id_shows() {
    let server = TestServer::new().await;
    let stranger = server.stranger().await;
    let agent = server.agent("one", &["work"]).await;
    server
        .task_with(json!({"task_type": "work", "task_id": "ours"}))
        .await;
    let (_, lease) = agent.claim_one().await;
    let before = server.everything().await;
    let lease = json!({"lease": lease});
    let with = |more: Value| {
        let mut body = lease.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Some(body)
    };
    let calls: [(&str, &str, Option<Value>); 17] = [
        ("GET", "tasks/{}", None),
        ("PUT", "tasks/{}", Some(json!({"priority": 1}))),
        ("GET", "tasks/{}/explain", None),
        ("GET", "tasks/{}/attempts", None),
        ("GET", "tasks/{}/logs", None),
        (
            "POST",
            "tasks/{}/logs",
            with(json!({"lines": [{"level": "info", "message": "x"}]})),
        ),
        ("POST", "tasks/{}/delegate", Some(json!({}))),
        ("POST", "tasks/{}/cancel", Some(json!({}))),
        ("POST", "tasks/{}/retry", None),
        ("POST", "tasks/{}/start", with(json!({}))),
        ("POST", "tasks/{}/progress", with(json!({"progress": 1}))),
        ("POST", "tasks/{}/complete", with(json!({}))),
        (
            "POST",
            "tasks/{}/fail",
            with(json!({"error": {"type": "system", "message": "x"}})),
        ),
        ("POST", "tasks/{}/release", with(json!({}))),
        ("GET", "agents/{}", None),
        ("PUT", "agents/{}", Some(json!({"name": "x"}))),
        ("DELETE", "agents/{}", None),
    ];
    for (method, path, body) in calls {
        let known = if path.starts_with("agents") {
            "one"
        } else {
            "ours"
        };
        let ask = async |id: &str| {
            let path = format!("/api/v1/{}", path.replace("{}", id));
            let call = stranger.request(method, &path).header("if-match", "*");
            let answer = match &body {
                Some(body) => call.json(body).await,
                None => call.empty().await,
            };
            answer.refused(404, "not_found").detail.replace(id, "<id>")
        };
        assert_eq!(ask(known).await, ask("nobody").await, "{method} {path}");
    }
    assert_eq!(server.everything().await, before);
}

#[tokio::test]
async fn the_same_ids_live_side_by_side_in_two_namespaces() {
    let server = TestServer::new().await;
    let stranger = server.stranger().await;
    let body = json!({"task_type": "work", "task_id": "t"});
    server
        .admin()
        .post("/api/v1/tasks", body.clone())
        .await
        .ok(201);
    let theirs = stranger.post("/api/v1/tasks", body).await.ok(201);
    assert_eq!(theirs["namespace"], "elsewhere");
    stranger
        .post("/api/v1/tasks/t/cancel", json!({}))
        .await
        .ok(200);
    assert_eq!(server.see("t").await["status"], "pending");
    let list = stranger.get("/api/v1/tasks").await.ok(200);
    assert_eq!(list["tasks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn agents_get_no_work_of_another_namespace() {
    let server = TestServer::new().await;
    let stranger = server.stranger().await;
    let agent = server.agent("one", &["work"]).await;
    stranger
        .post("/api/v1/tasks", json!({"task_type": "work"}))
        .await
        .ok(201);
    assert_eq!(agent.claim(5).await.len(), 0);
    let dependency = stranger
        .post(
            "/api/v1/tasks",
            json!({"task_type": "x", "task_id": "theirs"}),
        )
        .await;
    dependency.ok(201);
    let body = json!({"task_type": "work", "dependencies": ["theirs"]});
    let answer = server.admin().post("/api/v1/tasks", body).await;
    answer.refused(422, "unknown_dependency");
}
