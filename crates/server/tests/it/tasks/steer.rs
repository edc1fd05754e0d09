use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn a_waiting_task_is_changed_at_the_revision_that_was_seen() {
    let server = TestServer::new().await;
    let deadline = server.now().plus_ms(60_000).to_string();
    let task = server
        .task_with(
            json!({"task_type": "work", "deadline": deadline, "retry_config": {"initialDelay": 5}}),
        )
        .await;
    let (admin, path) = (server.admin(), format!("/api/v1/tasks/{task}"));

    admin
        .request("PUT", &path)
        .json(&json!({"priority": 1}))
        .await
        .refused(428, "precondition_required");
    admin
        .put(&path, "\"7\"", json!({"priority": 1}))
        .await
        .refused(412, "revision_mismatch");
    let changed = admin
        .put(
            &path,
            "\"1\"",
            json!({"priority": 9, "deadline": null, "max_retries": 1}),
        )
        .await;

    assert_eq!(changed.header("etag"), "\"2\"");
    let changed = changed.ok(200);
    assert_eq!(
        (&changed["priority"], &changed["deadline"]),
        (&json!(9), &json!(null))
    );
    assert_eq!(
        changed["retry_config"]["initialDelay"], 5,
        "the rest of the policy stays"
    );
    assert_eq!(changed["max_retries"], 1);
}

#[tokio::test]
async fn a_task_in_hand_cannot_be_changed() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    agent.claim_one().await;
    let answer = server
        .admin()
        .put(
            &format!("/api/v1/tasks/{task}"),
            "*",
            json!({"priority": 1}),
        )
        .await;
    answer.refused(409, "invalid_transition");
}

#[tokio::test]
async fn a_change_that_would_close_a_circle_is_refused() {
    let server = TestServer::new().await;
    server
        .task_with(json!({"task_type": "work", "task_id": "a"}))
        .await;
    server
        .task_with(json!({"task_type": "work", "task_id": "b", "dependencies": ["a"]}))
        .await;
    let answer = server
        .admin()
        .put("/api/v1/tasks/a", "*", json!({"dependencies": ["b"]}))
        .await;
    let problem = answer.refused(422, "dependency_cycle");
    assert!(problem.detail.contains("→"), "{problem}");
    assert_eq!(server.see("a").await["dependencies"], json!([]));
}

#[tokio::test]
async fn delegation_goes_to_the_named_agent_or_to_the_freest() {
    let server = TestServer::new().await;
    let busy = server.agent("busy", &["work"]).await;
    server.agent("free", &["work"]).await;
    server.agent("other", &["else"]).await;
    let first = server.task("work").await;
    busy.claim_one().await;
    let task = server.task("work").await;
    let delegate = async |body| {
        server
            .admin()
            .post(&format!("/api/v1/tasks/{task}/delegate"), body)
            .await
    };

    assert_eq!(delegate(json!({})).await.ok(200)["agent_id"], "free");
    assert_eq!(
        delegate(json!({"agent_id": "busy"})).await.ok(200)["agent_id"],
        "busy"
    );
    delegate(json!({"agent_id": "other"}))
        .await
        .refused(409, "agent_inactive");
    let unknown = delegate(json!({"agent_id": "nobody"})).await;
    unknown.refused(422, "validation");
    assert_eq!(unknown.pointers(), ["/agent_id"]);
    assert_eq!(busy.claim_one().await.0, task);
    let held = server
        .admin()
        .post(&format!("/api/v1/tasks/{first}/delegate"), json!({}))
        .await;
    held.refused(409, "invalid_transition");
}

#[tokio::test]
async fn cancelling_takes_the_dependents_along_and_is_no_fault_when_repeated() {
    let server = TestServer::new().await;
    server
        .task_with(json!({"task_type": "work", "task_id": "a"}))
        .await;
    server
        .task_with(json!({"task_type": "work", "task_id": "b", "dependencies": ["a"]}))
        .await;
    for _ in 0..2 {
        let cancelled = server
            .admin()
            .request("POST", "/api/v1/tasks/a/cancel")
            .empty()
            .await;
        assert_eq!(cancelled.ok(200)["status"], "cancelled");
    }
    let dependent = server.see("b").await;
    assert_eq!(dependent["status"], "cancelled");
    assert!(
        dependent["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`a`"),
        "{dependent}"
    );
}

#[tokio::test]
async fn an_ended_task_is_tried_again_with_all_its_retries() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server
        .task_with(json!({"task_type": "work", "max_retries": 0}))
        .await;
    let (_, lease) = agent.claim_one().await;
    let error = json!({"type": "network", "message": "down"});
    let failed = agent
        .say(&task, "fail", json!({"lease": lease, "error": error}))
        .await
        .ok(200);
    assert_eq!(failed["status"], "failed");

    let retried = server
        .admin()
        .request("POST", &format!("/api/v1/tasks/{task}/retry"))
        .empty()
        .await;

    assert_eq!(retried.ok(200)["status"], "pending");
    let (_, lease) = agent.claim_one().await;
    assert!(lease.starts_with("2-"));
    agent
        .say(&task, "complete", json!({"lease": lease}))
        .await
        .ok(200);
    let done = server
        .admin()
        .request("POST", &format!("/api/v1/tasks/{task}/retry"))
        .empty()
        .await;
    done.refused(409, "invalid_transition");
}
