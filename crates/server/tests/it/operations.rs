//! Operations on many tasks.

use serde_json::{Value, json};

use crate::support::TestServer;

const PATH: &str = "/api/v1/operations";

/// Begins an operation and lets it go on to its end.
async fn carry_out(server: &TestServer, wish: Value) -> Value {
    let begun = server.admin().post(PATH, wish).await.ok(201);
    let id = begun["operation_id"].as_str().unwrap().to_owned();
    for _ in 0..20 {
        server.live_ms(0).await;
        let shown = server.admin().get(&format!("{PATH}/{id}")).await.ok(200);
        if shown["status"] != "running" {
            return shown;
        }
    }
    panic!("the operation goes on for ever");
}

#[tokio::test]
async fn a_wish_about_many_tasks_is_carried_out_behind_the_callers_back() {
    let server = TestServer::new().await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(server.task("work").await);
    }
    let other = server.task("other").await;
    let wish = json!({"kind": "cancel", "filter": {"task_type": "work"}, "reason": "a mistake"});

    let begun = server.admin().post(PATH, wish).await;
    assert_eq!(begun.header("etag"), "\"1\"");
    let place = begun.header("location").to_owned();
    let begun = begun.ok(201);
    assert_eq!(begun["status"], "running");
    assert_eq!(
        (&begun["matched"], &begun["matched_more"]),
        (&json!(3), &json!(false))
    );
    assert_eq!(begun["filter"], json!({"task_type": "work"}));
    server.live_ms(0).await;

    let done = server.admin().get(&place).await.ok(200);
    assert_eq!(
        (&done["status"], &done["done"]),
        (&json!("completed"), &json!(3))
    );
    assert_eq!(done["progress"], 100.0);
    for task in tasks {
        let shown = server
            .admin()
            .get(&format!("/api/v1/tasks/{task}"))
            .await
            .ok(200);
        assert_eq!(shown["status"], "cancelled");
        assert!(
            shown["error"]["message"]
                .as_str()
                .unwrap()
                .ends_with("a mistake")
        );
    }
    let shown = server
        .admin()
        .get(&format!("/api/v1/tasks/{other}"))
        .await
        .ok(200);
    assert_eq!(shown["status"], "pending");

    let again = json!({"kind": "retry", "filter": {"statuses": ["cancelled"]}});
    let back = carry_out(&server, again).await;
    assert_eq!(back["done"], 3);
    let events = server
        .admin()
        .get("/api/v1/events?type=operation:&limit=500")
        .await
        .ok(200);
    let told = events["events"].as_array().unwrap();
    assert_eq!(told.len(), 4);
    assert_eq!(told[1]["type"], "operation:completed");
    assert_eq!(told[1]["payload"]["operationId"], done["operation_id"]);
}

#[tokio::test]
async fn a_dry_run_counts_and_begins_nothing() {
    let server = TestServer::new().await;
    let task = server.task("work").await;
    let wish = json!({"kind": "cancel", "all": true, "dry_run": true});
    let preview = server.admin().post(PATH, wish).await.ok(200);
    assert_eq!(
        preview,
        json!({"kind": "cancel", "matched": 1, "matched_more": false, "dry_run": true})
    );
    server.live_ms(0).await;
    let shown = server
        .admin()
        .get(&format!("/api/v1/tasks/{task}"))
        .await
        .ok(200);
    assert_eq!(shown["status"], "pending");
    let listed = server.admin().get(PATH).await.ok(200);
    assert_eq!(listed["operations"], json!([]));
}

#[tokio::test]
async fn bad_wishes_are_refused_with_all_their_faults() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let refusals = [
        (json!({"kind": "cancel"}), "/filter", "empty_filter"),
        (
            json!({"kind": "cancel", "filter": {}}),
            "/filter",
            "empty_filter",
        ),
        (
            json!({"kind": "retry", "filter": {"statuses": ["completed"]}}),
            "/filter/statuses",
            "nothing_to_do",
        ),
        (
            json!({"kind": "explode", "all": true}),
            "/kind",
            "unknown_value",
        ),
        (
            json!({"kind": "cancel", "filter": {"typo": 1}}),
            "/filter/typo",
            "unknown_field",
        ),
        (
            json!({"kind": "cancel", "filter": {"text": ""}}),
            "/filter/text",
            "empty",
        ),
        (
            json!({"kind": "cancel", "filter": {"text": "x".repeat(201)}}),
            "/filter/text",
            "too_long",
        ),
        (
            json!({"kind": "cancel", "filter": {"stage": 0}}),
            "/filter/stage",
            "out_of_range",
        ),
    ];
    for (wish, pointer, code) in refusals {
        let problem = admin
            .post(PATH, wish.clone())
            .await
            .refused(422, "validation");
        let found = problem
            .errors
            .iter()
            .any(|fault| fault.pointer == pointer && fault.code == code);
        assert!(found, "{wish}: {problem:?}");
    }
    admin
        .get(&format!("{PATH}/op_nobody"))
        .await
        .refused(404, "not_found");
    admin
        .post(&format!("{PATH}/op_nobody/abort"), json!({}))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_repeated_request_begins_one() {
    let server = TestServer::new().await;
    server.task("work").await;
    let admin = server.admin().with_header("idempotency-key", "k1");
    let wish = json!({"kind": "cancel", "all": true});
    let first = admin.post(PATH, wish.clone()).await.ok(201);
    let second = admin.post(PATH, wish).await;
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.ok(201)["operation_id"], first["operation_id"]);
}

#[tokio::test]
async fn an_operation_can_be_stopped_and_is_listed() {
    let server = TestServer::new().await;
    for _ in 0..2 {
        server.task("work").await;
    }
    let admin = server.admin();
    let wish = json!({"kind": "cancel", "filter": {"task_type": "work"}});
    let begun = admin.post(PATH, wish.clone()).await.ok(201);
    let path = format!("{PATH}/{}/abort", begun["operation_id"].as_str().unwrap());
    let stopped = admin.post(&path, json!({})).await.ok(200);
    assert_eq!(stopped["status"], "aborted");
    assert!(stopped["error"].as_str().unwrap().starts_with("aborted by"));
    admin.post(&path, json!({})).await.ok(200);
    server.live_ms(1).await;
    let done = carry_out(&server, wish).await;
    let path = format!("{PATH}/{}/abort", done["operation_id"].as_str().unwrap());
    admin
        .post(&path, json!({}))
        .await
        .refused(409, "invalid_transition");

    let listed = admin.get(&format!("{PATH}?limit=1")).await.ok(200);
    assert_eq!(
        listed["operations"][0]["operation_id"],
        done["operation_id"]
    );
    let next = listed["next_cursor"].as_str().unwrap();
    let rest = admin.get(&format!("{PATH}?cursor={next}")).await.ok(200);
    assert_eq!(rest["operations"][0]["status"], "aborted");
    assert_eq!(rest["next_cursor"], json!(null));
    let aborted = admin.get(&format!("{PATH}?status=aborted")).await.ok(200);
    assert_eq!(aborted["operations"].as_array().unwrap().len(), 1);
}
