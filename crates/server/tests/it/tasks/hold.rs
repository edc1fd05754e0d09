use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn a_task_goes_from_start_over_progress_to_completion() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;

    let started = agent
        .say(&task, "start", json!({"lease": lease}))
        .await
        .ok(200);
    assert_eq!(started["status"], "running");
    let report = json!({"lease": lease, "progress": 42.5, "message": "630 of 1482", "counters": {"records": 630}});
    let told = agent.say(&task, "progress", report).await.ok(200);
    assert_eq!(
        (&told["progress"], &told["counters"]["records"]),
        (&json!(42.5), &json!(630))
    );
    let back = agent
        .say(&task, "progress", json!({"lease": lease, "progress": 1}))
        .await
        .ok(200);
    assert_eq!(back["progress"], 42.5, "progress never goes back");
    let body = json!({"lease": lease, "result": {"rows": 1482}});
    let done = agent.say(&task, "complete", body.clone()).await.ok(200);

    assert_eq!(done["status"], "completed");
    assert_eq!(done["progress"], 100.0);
    assert_eq!(done["result"], json!({"rows": 1482}));
    // The answer got lost, and the agent says it again.
    assert_eq!(agent.say(&task, "complete", body).await.ok(200), done);
    assert_eq!(server.see(&task).await, done);
}

#[tokio::test]
async fn holders_who_prefer_it_get_no_task_back() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    for verb in ["start", "complete"] {
        let call = agent.request("POST", &format!("/api/v1/tasks/{task}/{verb}"));
        let answer = call
            .header("prefer", "return=minimal")
            .json(&json!({"lease": lease}))
            .await;
        answer.ok(204);
        assert_eq!(answer.header("preference-applied"), "return=minimal");
    }
    assert_eq!(server.see(&task).await["status"], "completed");
}

#[tokio::test]
async fn a_retryable_error_gets_another_attempt_after_a_pause() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    let error = json!({"type": "external_service", "message": "503", "details": {"tries": 3}});

    let failed = agent
        .say(&task, "fail", json!({"lease": lease, "error": error}))
        .await
        .ok(200);

    assert_eq!(
        (&failed["status"], &failed["retry_count"]),
        (&json!("retry"), &json!(1))
    );
    assert_eq!(failed["error"], error);
    assert_eq!(agent.claim(1).await.len(), 0);
    server.live_ms(1_000).await;
    agent.heartbeat(json!({})).await.ok(200);
    let (_, second) = agent.claim_one().await;
    agent
        .say(&task, "complete", json!({"lease": lease}))
        .await
        .refused(409, "stale_lease");
    agent
        .say(&task, "complete", json!({"lease": second}))
        .await
        .ok(200);
    let attempts = server
        .admin()
        .get(&format!("/api/v1/tasks/{task}/attempts"))
        .await
        .ok(200);
    let outcomes: Vec<_> = attempts["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["failed", "completed"]);
}

#[tokio::test]
async fn an_error_of_the_work_itself_fails_at_once() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    let error = json!({"type": "validation", "message": "no column `questionText`"});
    let failed = agent
        .say(&task, "fail", json!({"lease": lease, "error": error}))
        .await
        .ok(200);
    assert_eq!(failed["status"], "failed");
}

#[tokio::test]
async fn a_released_task_returns_unharmed() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    let body = json!({"lease": lease, "reason": "shutting down"});
    let released = agent.say(&task, "release", body).await.ok(200);
    assert_eq!(
        (&released["status"], &released["retry_count"]),
        (&json!("pending"), &json!(0))
    );
}

#[tokio::test]
async fn an_expired_lease_changes_nothing() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = agent.claim_one().await;
    // Not yet noticed by any reconciler.
    server.advance_ms(30_001);
    let late = agent.say(&task, "complete", json!({"lease": lease})).await;
    late.refused(409, "lease_expired");
    server.live_ms(0).await;
    assert_eq!(server.see(&task).await["status"], "pending");
    agent
        .say(&task, "complete", json!({"lease": lease}))
        .await
        .refused(409, "stale_lease");
}

#[tokio::test]
async fn nobody_completes_somebody_elses_task() {
    let server = TestServer::new().await;
    let holder = server.agent("holder", &["work"]).await;
    let thief = server.agent("thief", &["work"]).await;
    let task = server.task("work").await;
    let (_, lease) = holder.claim_one().await;
    let guess = format!("1-{:032x}", 1);
    for (lease, words) in [
        (lease.as_str(), "another agent holds it"),
        (guess.as_str(), ""),
        ("rubbish", ""),
    ] {
        for (verb, rest) in [
            ("start", json!({})),
            ("progress", json!({"progress": 50})),
            ("complete", json!({"result": {"stolen": true}})),
            ("fail", json!({"error": {"type": "system", "message": "x"}})),
            ("release", json!({})),
            ("cancel", json!({})),
        ] {
            let mut body = rest;
            body["lease"] = lease.into();
            let problem = thief
                .say(&task, verb, body)
                .await
                .refused(409, "stale_lease");
            assert!(problem.detail.contains(words), "{verb}: {problem}");
        }
    }
    assert_eq!(server.see(&task).await["status"], "assigned");
    holder
        .say(&task, "complete", json!({"lease": lease}))
        .await
        .ok(200);
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_tried_again() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server
        .task_with(json!({"task_type": "work", "timeout_ms": 5_000}))
        .await;
    let (_, lease) = agent.claim_one().await;
    agent
        .say(&task, "start", json!({"lease": lease}))
        .await
        .ok(200);
    server.live_ms(5_000).await;
    let seen = server.see(&task).await;
    assert_eq!(seen["status"], "retry");
    assert_eq!(seen["error"]["type"], "timeout");
}

#[tokio::test]
async fn a_task_whose_deadline_passed_fails() {
    let server = TestServer::new().await;
    let deadline = server.now().plus_ms(1_000).to_string();
    let task = server
        .task_with(json!({"task_type": "work", "deadline": deadline}))
        .await;
    server.live_ms(1_000).await;
    assert_eq!(server.see(&task).await["status"], "failed");
}
