use serde_json::json;

use crate::support::TestServer;

const ONE: &str = "/api/v1/agents/one";

#[tokio::test]
async fn a_change_needs_the_revision_that_its_author_saw() {
    let server = TestServer::new().await;
    server.agent("one", &["work"]).await;
    let admin = server.admin();
    let tag = admin.get(ONE).await.header("etag").to_owned();
    let change = json!({"concurrency": 40, "endpoint_url": "http://127.0.0.1:9000/run"});

    let unguarded = admin.request("PUT", ONE).json(&change).await;
    unguarded.refused(428, "precondition_required");
    let changed = admin.put(ONE, &tag, change.clone()).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.ok(200)["concurrency"], 40);
    admin
        .put(ONE, &tag, change)
        .await
        .refused(412, "revision_mismatch");
    let cleared = admin
        .put(ONE, "*", json!({"endpoint_url": null}))
        .await
        .ok(200);

    assert_eq!(cleared["endpoint_url"], json!(null));
    assert_eq!(cleared["concurrency"], 40);
}

#[tokio::test]
async fn heartbeats_do_not_spoil_a_revision() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let tag = agent.get(ONE).await.header("etag").to_owned();
    agent.heartbeat(json!({})).await.ok(200);
    agent.put(ONE, &tag, json!({"version": "2"})).await.ok(200);
}

#[tokio::test]
async fn an_agent_changes_itself_but_not_whether_it_is_admitted() {
    let server = TestServer::new().await;
    let one = server.agent("one", &["work"]).await;
    let two = server.agent("two", &["work"]).await;
    one.put(ONE, "*", json!({"capabilities": ["work", "more"]}))
        .await
        .ok(200);
    two.put(ONE, "*", json!({"name": "x"}))
        .await
        .refused(404, "not_found");
    server
        .admin()
        .put(ONE, "*", json!({"admission": "disabled"}))
        .await
        .ok(200);

    one.put(ONE, "*", json!({"admission": "open"}))
        .await
        .refused(403, "forbidden");

    let shown = one.get(ONE).await.ok(200);
    assert_eq!(shown["admission"], "disabled");
    one.post("/api/v1/agents/one/claim", json!({}))
        .await
        .refused(409, "agent_inactive");
}

#[tokio::test]
async fn who_signs_off_is_forgotten_with_its_token_and_its_work_returns() {
    let server = TestServer::new().await;
    let agent = server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    agent.claim_one().await;

    agent.delete(ONE).await.ok(204);

    server.admin().get(ONE).await.refused(404, "not_found");
    agent
        .get("/api/v1/tasks")
        .await
        .refused(401, "unauthenticated");
    assert_eq!(server.see(&task).await["status"], "pending");
    server.admin().delete(ONE).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_list_is_newest_first_filtered_and_paged() {
    let server = TestServer::new().await;
    for n in 0..5 {
        server
            .agent(
                &format!("agent-{n}"),
                &[if n % 2 == 0 { "even" } else { "odd" }],
            )
            .await;
        server.advance_ms(1);
    }
    let admin = server.admin();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let agents = page["agents"].as_array().unwrap().iter();
        agents
            .map(|agent| agent["agent_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = admin.get("/api/v1/agents?limit=2").await.ok(200);
    assert_eq!(ids(&first), ["agent-4", "agent-3"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = admin
        .get(&format!("/api/v1/agents?limit=2&cursor={cursor}"))
        .await
        .ok(200);
    assert_eq!(ids(&second), ["agent-2", "agent-1"]);
    let even = admin
        .get("/api/v1/agents?capability=even&status=active&type=tester")
        .await
        .ok(200);
    assert_eq!(ids(&even), ["agent-4", "agent-2", "agent-0"]);
    assert_eq!(even["next_cursor"], json!(null));
    // A cursor of another list is no cursor of this one.
    let foreign = admin.get(&format!("/api/v1/tasks?cursor={cursor}")).await;
    foreign.refused(422, "validation");
}
