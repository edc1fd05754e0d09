use serde_json::{Value, json};

use crate::support::TestServer;

const BATCH: &str = "/api/v1/tasks/batch";

#[tokio::test]
async fn a_batch_is_made_whole_in_any_order_of_dependencies() {
    let server = TestServer::new().await;
    let body = json!({"tasks": [
        {"task_type": "work", "task_id": "second", "dependencies": ["first"]},
        {"task_type": "work", "task_id": "first"},
    ]});
    let made = server.admin().post(BATCH, body).await.ok(201);
    let ids: Vec<&Value> = made["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["task_id"])
        .collect();
    assert_eq!(ids, ["second", "first"]);
    assert_eq!(made.get("task_ids"), None);
}

#[tokio::test]
async fn who_prefers_it_gets_the_ids_alone() {
    let server = TestServer::new().await;
    let send = async || {
        let call = server.admin().request("POST", BATCH);
        let call = call
            .header("prefer", "return=minimal")
            .header("idempotency-key", "k");
        call.json(&json!({"tasks": [{"task_type": "a"}, {"task_type": "b"}]}))
            .await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first.header("preference-applied"), "return=minimal");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let ids = first.ok(201);
    assert_eq!(ids, again.ok(201));
    assert_eq!(ids["task_ids"].as_array().unwrap().len(), 2);
    assert_eq!(ids.get("tasks"), None);
}

#[tokio::test]
async fn a_batch_with_a_fault_makes_nothing_and_lists_all_faults() {
    let server = TestServer::new().await;
    let past = server.now().minus_ms(1).to_string();
    let body = json!({"tasks": [
        {"task_type": "work", "task_id": "twin"},
        {"task_type": "work", "deadline": past, "retry_config": {"initialDelay": 100, "maxDelay": 10}},
        {"task_type": "work", "task_id": "twin"},
    ]});
    let answer = server.admin().post(BATCH, body).await;
    answer.refused(422, "validation");
    let pointers = answer.pointers();
    assert!(
        pointers.contains(&"/tasks/1/deadline".to_owned()),
        "{pointers:?}"
    );
    assert!(
        pointers.contains(&"/tasks/2/task_id".to_owned()),
        "{pointers:?}"
    );
    assert!(
        pointers
            .iter()
            .any(|pointer| pointer.starts_with("/tasks/1/retry_config")),
        "{pointers:?}"
    );
    assert_eq!(server.everything().await["tasks"]["tasks"], json!([]));
}

#[tokio::test]
async fn each_completion_of_a_batch_is_decided_by_itself() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    for id in ["a", "b"] {
        server
            .task_with(json!({"task_type": "work", "task_id": id}))
            .await;
    }
    let claimed = agent.claim(5).await;
    let lease =
        |id: &str| claimed.iter().find(|task| task["task_id"] == id).unwrap()["lease"].clone();
    let body = json!({"completions": [
        {"task_id": "a", "lease": lease("a"), "result": {"n": 1}},
        {"task_id": "b", "lease": lease("a")},
        {"task_id": "c", "lease": "rubbish"},
    ]});

    let done = agent
        .post("/api/v1/tasks/complete", body.clone())
        .await
        .ok(200);

    let results = done["results"].as_array().unwrap();
    let words: Vec<(&str, &str)> = results
        .iter()
        .map(|result| {
            (
                result["status"].as_str().unwrap(),
                result["problem"]["code"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        words,
        [
            ("completed", ""),
            ("refused", "stale_lease"),
            ("refused", "not_found")
        ]
    );
    assert_eq!(server.see("a").await["result"], json!({"n": 1}));
    assert_eq!(server.see("b").await["status"], "assigned");
    // Said again, it is answered the same.
    assert_eq!(
        agent.post("/api/v1/tasks/complete", body).await.ok(200),
        done
    );
}

#[tokio::test]
async fn a_batch_that_names_a_task_twice_is_refused() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    let one = json!({"task_id": task, "lease": lease});
    let answer = agent
        .post("/api/v1/tasks/complete", json!({"completions": [one, one]}))
        .await;
    answer.refused(422, "validation");
    assert_eq!(answer.pointers(), ["/completions/1/task_id"]);
    assert_eq!(server.see(&task).await["status"], "assigned");
}

#[tokio::test]
async fn empty_and_enormous_batches_are_refused() {
    let server = TestServer::new().await;
    for tasks in [
        json!([]),
        Value::Array(vec![json!({"task_type": "x"}); 1_001]),
    ] {
        let answer = server.admin().post(BATCH, json!({"tasks": tasks})).await;
        answer.refused(422, "validation");
        assert_eq!(answer.pointers(), ["/tasks"]);
    }
}
