use serde_json::json;

use crate::support::TestServer;

const TASKS: &str = "/api/v1/tasks";

#[tokio::test]
async fn a_task_is_made_with_its_defaults_and_its_place() {
    let server = TestServer::new().await;
    let answer = server
        .admin()
        .post(TASKS, json!({"task_type": "work"}))
        .await;
    let task = answer.ok(201);
    let id = task["task_id"].as_str().unwrap();
    assert!(id.starts_with("task_"));
    assert_eq!(answer.header("location"), format!("{TASKS}/{id}"));
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(task["capabilities"], json!(["work"]));
    assert_eq!(task["max_retries"], 3);
    assert_eq!(task["created_by"], "admin");
    assert_eq!(server.see(id).await, task);
}

#[tokio::test]
async fn what_a_task_says_is_kept_as_it_came() {
    let server = TestServer::new().await;
    let body =
        r#"{"task_type": "work", "parameters": {"z": 1.10, "a": 12345678901234567890123, "z": 2}}"#;
    let call = server
        .admin()
        .request("POST", TASKS)
        .header("content-type", "application/json");
    let answer = call.body(body).await;
    // Repeated names are refused everywhere else and free in what is the caller's own.
    assert!(
        answer
            .text()
            .contains(r#"{"z":1.10,"a":12345678901234567890123,"z":2}"#),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn max_retries_wins_over_the_policy_and_leaves_the_rest_of_it() {
    let server = TestServer::new().await;
    let body = json!({"task_type": "work", "max_retries": 7, "retry_config": {"maxRetries": 1, "initialDelay": 5, "backoffStrategy": "fixed"}});
    let task = server.admin().post(TASKS, body).await.ok(201);
    assert_eq!(task["max_retries"], 7);
    assert_eq!(task["retry_config"]["maxRetries"], 7);
    assert_eq!(task["retry_config"]["initialDelay"], 5);
    assert_eq!(task["retry_config"]["maxDelay"], 60_000);
}

#[tokio::test]
async fn the_same_id_again_is_a_conflict() {
    let server = TestServer::new().await;
    let body = json!({"task_type": "work", "task_id": "mine"});
    server.admin().post(TASKS, body.clone()).await.ok(201);
    let again = server.admin().post(TASKS, body).await;
    assert!(again.refused(409, "conflict").detail.contains("`mine`"));
}

#[tokio::test]
async fn a_repeated_request_makes_one_task() {
    let server = TestServer::new().await;
    let send = async |body| {
        let call = server.admin().request("POST", TASKS);
        call.header("idempotency-key", "k-1").json(&body).await
    };
    let first = send(json!({"task_type": "work"})).await;
    server.advance_ms(3_600_000);
    let again = send(json!({"task_type": "work"})).await;

    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.ok(201), again.ok(201));
    send(json!({"task_type": "other"}))
        .await
        .refused(422, "idempotency_mismatch");
    let tasks = server.admin().get(TASKS).await.ok(200);
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn idempotency_keys_belong_to_their_caller() {
    let server = TestServer::new().await;
    let other = server.key("default", &["task:create"]).await;
    for client in [server.admin(), other] {
        let call = client.request("POST", TASKS).header("idempotency-key", "k");
        let answer = call.json(&json!({"task_type": "work"})).await;
        assert_eq!(answer.header("idempotent-replayed"), "");
        answer.ok(201);
    }
}

#[tokio::test]
async fn equal_requests_at_the_same_time_make_one_task() {
    let server = TestServer::new().await;
    let send = || {
        let call = server
            .admin()
            .request("POST", TASKS)
            .header("idempotency-key", "k");
        async move { call.json(&json!({"task_type": "work"})).await }
    };
    let answers = futures::future::join_all((0..8).map(|_| send())).await;
    let first = answers[0].ok(201)["task_id"].clone();
    assert!(
        answers
            .iter()
            .all(|answer| answer.ok(201)["task_id"] == first)
    );
}
