//! Pipelines over the real router: making, running, steering, reading.

use serde_json::{Value, json};

use crate::support::{Client, TestServer};

/// Two stages, the second after the first.
fn two_stages() -> Value {
    json!([
        {"stage": 1, "name": "read", "task_type": "read"},
        {"stage": 2, "name": "write", "task_type": "write", "dependencies": [1]},
    ])
}

async fn create(client: &Client, body: Value) -> Value {
    let answer = client.post("/api/v1/pipelines", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn get(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/v1/pipelines/{id}")).await.json()
}

/// Claims and completes every task that can be claimed now; tells their types.
async fn work(worker: &Client) -> Vec<String> {
    let mut done = Vec::new();
    loop {
        let claimed: Value = worker
            .post("/api/v1/agents/worker/claim", json!({"max": 100}))
            .await
            .json();
        let tasks = claimed["tasks"].as_array().unwrap().clone();
        if tasks.is_empty() {
            return done;
        }
        for task in tasks {
            let path = format!(
                "/api/v1/tasks/{}/complete",
                task["task_id"].as_str().unwrap()
            );
            let body = json!({"lease": task["lease"], "result": {"of": task["task_type"]}});
            assert_eq!(worker.post(&path, body).await.status, 200);
            done.push(task["task_type"].as_str().unwrap().to_owned());
        }
    }
}

#[tokio::test]
async fn a_pipeline_runs_stage_after_stage_to_its_output() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let worker = server.agent("worker", &["read", "write"]).await;

    let made = create(
        &admin,
        json!({"name": "p", "stages": two_stages(), "input_data": {"x": 1}}),
    )
    .await;
    assert_eq!(made["status"], "created");
    assert_eq!(made["progress"], 0.0);
    let id = made["pipeline_id"].as_str().unwrap();
    assert_eq!(work(&worker).await, Vec::<String>::new());

    let path = format!("/api/v1/pipelines/{id}/execute");
    let running: Value = admin.post(&path, json!({})).await.json();
    assert_eq!(running["status"], "running");
    assert_eq!(
        running["stages"][0]["tasks"],
        json!([format!("{id}.s1.000000")])
    );
    assert_eq!(running["stages"][0]["counts"]["pending"], 1);
    assert_eq!(running["stages"][1]["status"], "pending");
    // Said twice, because the first answer got lost.
    assert_eq!(admin.post(&path, json!({})).await.status, 200);

    assert_eq!(work(&worker).await, ["read", "write"]);
    let done = get(&admin, id).await;
    assert_eq!(done["status"], "completed");
    assert_eq!(done["progress"], 100.0);
    assert_eq!(done["output_data"], json!({"write": [{"of": "write"}]}));
    assert_eq!(done["input_data"], json!({"x": 1}));
    assert_eq!(
        done["stages"][1]["counts"],
        json!({
            "total": 1, "pending": 0, "assigned": 0, "running": 0, "completed": 1, "failed": 0, "retry": 0, "cancelled": 0
        })
    );
    let again = admin.post(&path, json!({})).await;
    assert_eq!(again.problem("invalid_transition").status, 409);
}

#[tokio::test]
async fn progress_tells_percent_counters_and_words_of_each_stage() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let worker = server.agent("worker", &["read", "write"]).await;
    let made = create(
        &admin,
        json!({"name": "p", "stages": two_stages(), "execute": true}),
    )
    .await;
    let id = made["pipeline_id"].as_str().unwrap();
    let claimed: Value = worker
        .post("/api/v1/agents/worker/claim", json!({"max": 1}))
        .await
        .json();
    let task = &claimed["tasks"][0];
    let report = json!({
        "lease": task["lease"], "progress": 40.0, "message": "half of it", "counters": {"records": 630}
    });
    let path = format!(
        "/api/v1/tasks/{}/progress",
        task["task_id"].as_str().unwrap()
    );
    assert_eq!(worker.post(&path, report).await.status, 200);

    let progress: Value = admin
        .get(&format!("/api/v1/pipelines/{id}/progress"))
        .await
        .json();
    assert_eq!(progress["progress"], 20.0);
    let stage = &progress["stages"][0];
    assert_eq!(stage["progress"], 40.0);
    assert_eq!(stage["counters"], json!({"records": 630}));
    assert_eq!(stage["message"], "half of it");
    assert_eq!(stage["counts"]["running"], 1);
    assert_eq!(progress["stages"][1]["progress"], 0.0);
}

#[tokio::test]
async fn a_circle_among_stages_is_named_with_its_place() {
    let server = TestServer::new().await;
    let stages = json!([
        {"stage": 1, "name": "a", "task_type": "a", "dependencies": [3]},
        {"stage": 2, "name": "b", "task_type": "b", "dependencies": [1]},
        {"stage": 3, "name": "c", "task_type": "c", "dependencies": [2]},
    ]);
    let admin = server.admin();
    for (path, body) in [
        ("/api/v1/pipelines", json!({"name": "p", "stages": stages})),
        (
            "/api/v1/templates",
            json!({"template_id": "t", "stages": stages}),
        ),
    ] {
        let problem = admin.post(path, body).await.problem("dependency_cycle");
        assert_eq!(problem.status, 422);
        assert_eq!(problem.errors[0].pointer, "/stages/0/dependencies");
        assert!(
            problem.detail.contains("1 → 3 → 2 → 1"),
            "{}",
            problem.detail
        );
    }
    let none: Value = admin.get("/api/v1/pipelines").await.json();
    assert_eq!(none["pipelines"], json!([]));
}

#[tokio::test]
async fn every_fault_of_a_new_pipeline_is_listed() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let faults = async |body: Value| -> Vec<(String, String)> {
        let problem = admin.post("/api/v1/pipelines", body).await.any_problem();
        problem
            .errors
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    };
    let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());

    let stages = json!([
        {"stage": 1, "name": "a", "task_type": "a", "dependencies": [9]},
        {"stage": 1, "name": " ", "task_type": "b", "retry_config": {"initialDelay": 9, "maxDelay": 1}},
    ]);
    assert_eq!(
        faults(json!({"name": "p", "stages": stages})).await,
        [
            pair("/stages/1/stage", "repeated"),
            pair("/stages/1/name", "length"),
            pair("/stages/1/retry_config/initialDelay", "out_of_range"),
            pair("/stages/0/dependencies/0", "unknown_dependency"),
        ]
    );
    assert_eq!(
        faults(json!({"name": "p"})).await,
        [pair("/template", "required")]
    );
    assert_eq!(
        faults(json!({"name": "p", "template": "techdeck", "stages": two_stages()})).await,
        [
            pair("/template", "not_applicable"),
            pair("/stages", "not_applicable")
        ]
    );
    assert_eq!(
        faults(json!({"name": "p", "stages": two_stages(), "template_version": 1})).await,
        [pair("/template_version", "not_applicable")]
    );
    assert_eq!(
        faults(json!({"name": "p", "template": "nobody"})).await,
        [pair("/template", "unknown_template")]
    );
    assert_eq!(
        faults(json!({"pipeline_id": "../x", "name": "p", "template": "techdeck", "priority": 5000, "stagez": 1})).await.len(),
        3
    );
}

#[tokio::test]
async fn a_repeated_creation_is_the_same_pipeline_and_starts_it_once() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let body = json!({"name": "p", "stages": two_stages(), "execute": true});
    let send = async |body: &Value| {
        admin
            .request("POST", "/api/v1/pipelines")
            .header("idempotency-key", "k-1")
            .json(body)
            .await
    };
    let first = send(&body).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = send(&body).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["pipeline_id"], first.json()["pipeline_id"]);
    let other = send(&json!({"name": "q", "stages": two_stages()})).await;
    assert_eq!(other.problem("idempotency_mismatch").status, 422);
    let all: Value = admin.get("/api/v1/pipelines").await.json();
    assert_eq!(all["pipelines"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_id_of_ones_own_is_taken_once() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let body = json!({"pipeline_id": "mine", "name": "p", "template": "techdeck"});
    let made = admin.post("/api/v1/pipelines", body.clone()).await;
    assert_eq!(made.header("location"), "/api/v1/pipelines/mine");
    let again = admin.post("/api/v1/pipelines", body).await;
    assert_eq!(again.problem("conflict").status, 409);
}

#[tokio::test]
async fn a_change_needs_the_revision_that_was_read() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let made = admin
        .post(
            "/api/v1/pipelines",
            json!({"name": "p", "template": "techdeck", "tags": ["a"]}),
        )
        .await;
    let id = made.json()["pipeline_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/pipelines/{id}");
    let put = async |tag: Option<&str>, body: Value| {
        let request = admin.request("PUT", &path);
        let request = match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };
        request.json(&body).await
    };
    let body = json!({"name": "q", "metadata": {"k": [1]}});
    put(None, body.clone())
        .await
        .problem("precondition_required");
    let changed = put(Some(made.header("etag")), body.clone()).await;
    assert_eq!(changed.status, 200);
    let after: Value = changed.json();
    assert_eq!(
        (&after["name"], &after["tags"]),
        (&json!("q"), &json!(["a"]))
    );
    assert_eq!(after["metadata"], json!({"k": [1]}));
    assert_ne!(changed.header("etag"), made.header("etag"));
    let late = put(Some(made.header("etag")), json!({"name": "r"})).await;
    assert_eq!(late.problem("revision_mismatch").status, 412);
    assert_eq!(get(&admin, &id).await["name"], "q");
    assert_eq!(put(Some("*"), json!({"name": "r"})).await.status, 200);
}

#[tokio::test]
async fn a_cancelled_pipeline_gives_out_no_work_and_can_be_retried() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let worker = server.agent("worker", &["read", "write"]).await;
    let made = create(
        &admin,
        json!({"name": "p", "stages": two_stages(), "execute": true}),
    )
    .await;
    let path = format!(
        "/api/v1/pipelines/{}",
        made["pipeline_id"].as_str().unwrap()
    );

    let cancelled: Value = admin
        .post(&format!("{path}/cancel"), json!({"reason": "wrong file"}))
        .await
        .json();
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled["error"].as_str().unwrap().ends_with("wrong file"));
    assert_eq!(work(&worker).await, Vec::<String>::new());

    let retried: Value = admin
        .request("POST", &format!("{path}/retry"))
        .empty()
        .await
        .json();
    assert_eq!(retried["status"], "running");
    assert_eq!(work(&worker).await, ["read", "write"]);
}

#[tokio::test]
async fn a_completed_pipeline_runs_again_from_a_stage_with_new_tasks() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let worker = server.agent("worker", &["read", "write"]).await;
    let made = create(
        &admin,
        json!({"name": "p", "stages": two_stages(), "execute": true}),
    )
    .await;
    let id = made["pipeline_id"].as_str().unwrap();
    let retry = async |body: Value| {
        let path = format!("/api/v1/pipelines/{id}/retry");
        admin.post(&path, body).await
    };
    work(&worker).await;

    retry(json!({})).await.problem("invalid_transition");
    let unknown = retry(json!({"from_stage": 9})).await.problem("validation");
    assert_eq!(unknown.errors[0].pointer, "/from_stage");

    let again: Value = retry(json!({"from_stage": 2})).await.json();
    assert_eq!(again["status"], "running");
    assert_eq!(again["stages"][0]["status"], "completed");
    assert_eq!(again["stages"][1]["run"], 2);
    assert_eq!(
        again["stages"][1]["tasks"],
        json!([format!("{id}.r2.s2.000000")])
    );
    assert_eq!(again["progress"], 100.0, "progress never goes back");
    assert_eq!(work(&worker).await, ["write"]);
    assert_eq!(get(&admin, id).await["status"], "completed");
}

#[tokio::test]
async fn a_failed_stage_fails_the_pipeline_and_is_retried_alone() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let worker = server.agent("worker", &["read", "write"]).await;
    let made = create(
        &admin,
        json!({"name": "p", "stages": two_stages(), "execute": true}),
    )
    .await;
    let id = made["pipeline_id"].as_str().unwrap();
    let claimed: Value = worker
        .post("/api/v1/agents/worker/claim", json!({"max": 1}))
        .await
        .json();
    let task = &claimed["tasks"][0];
    let path = format!("/api/v1/tasks/{}/fail", task["task_id"].as_str().unwrap());
    let body =
        json!({"lease": task["lease"], "error": {"type": "validation", "message": "not a table"}});
    assert_eq!(worker.post(&path, body).await.status, 200);

    let failed = get(&admin, id).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["stages"][0]["counts"]["failed"], 1);
    assert_eq!(failed["stages"][1]["status"], "pending");
    let path = format!("/api/v1/pipelines/{id}/stages/1/execute");
    let again: Value = admin.post(&path, json!({})).await.json();
    assert_eq!(again["status"], "running");
    assert_eq!(work(&worker).await, ["read", "write"]);
}

#[tokio::test]
async fn a_stage_waits_for_those_it_depends_on() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let made = create(&admin, json!({"name": "p", "stages": two_stages()})).await;
    let path = format!(
        "/api/v1/pipelines/{}/stages",
        made["pipeline_id"].as_str().unwrap()
    );
    let early = admin.post(&format!("{path}/2/execute"), json!({})).await;
    assert_eq!(early.problem("invalid_transition").status, 409);
    for stage in ["9", "x", "-1", "99999"] {
        let none = admin
            .post(&format!("{path}/{stage}/execute"), json!({}))
            .await;
        assert_eq!(none.problem("not_found").status, 404, "{stage}");
    }
    let begun: Value = admin
        .post(&format!("{path}/1/execute"), json!({}))
        .await
        .json();
    assert_eq!(begun["status"], "running");
}

#[tokio::test]
async fn lists_page_newest_first_by_what_pipelines_have_in_common() {
    let server = TestServer::new().await;
    let admin = server.admin();
    for n in 0..5 {
        server.advance_ms(1);
        let tags = if n % 2 == 0 {
            json!(["even"])
        } else {
            json!([])
        };
        let body = json!({"pipeline_id": format!("p{n}"), "name": "p", "stages": two_stages(), "tags": tags, "execute": n == 4});
        create(&admin, body).await;
    }
    let names = async |query: &str| -> Vec<String> {
        let mut names = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/pipelines?limit=2&{query}{cursor}");
            let page: Value = admin.get(&path).await.json();
            let items = page["pipelines"].as_array().unwrap();
            assert!(items.len() <= 2);
            names.extend(
                items
                    .iter()
                    .map(|each| each["pipeline_id"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    assert_eq!(names("").await, ["p4", "p3", "p2", "p1", "p0"]);
    assert_eq!(names("tag=even").await, ["p4", "p2", "p0"]);
    assert_eq!(names("status=running").await, ["p4"]);
    assert_eq!(names("text=P3").await, ["p3"]);
    assert!(names("template_id=techdeck").await.is_empty());
    let middle: Value = admin.get("/api/v1/pipelines/p2").await.json();
    let at = middle["created_at"].as_str().unwrap();
    let since = names(&format!("created_from={at}")).await;
    assert_eq!(since, ["p4", "p3", "p2"]);
    let until = names(&format!("created_before={at}&tag=even")).await;
    assert_eq!(until, ["p0"]);
    let of_tasks: Value = admin.get("/api/v1/tasks?limit=1").await.json();
    if let Some(cursor) = of_tasks["next_cursor"].as_str() {
        let path = format!("/api/v1/pipelines?cursor={cursor}");
        admin.get(&path).await.problem("validation");
    }
}

#[tokio::test]
async fn a_page_ends_where_its_payloads_become_too_much() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let large = "x".repeat(7 * 1024 * 1024);
    for n in 0..5 {
        server.advance_ms(1);
        let body = json!({"pipeline_id": format!("p{n}"), "name": "p", "template": "techdeck", "input_data": {"x": large}});
        create(&admin, body).await;
    }
    let page: Value = admin.get("/api/v1/pipelines").await.json();
    assert_eq!(page["pipelines"].as_array().unwrap().len(), 4);
    let path = format!(
        "/api/v1/pipelines?cursor={}",
        page["next_cursor"].as_str().unwrap()
    );
    let rest: Value = admin.get(&path).await.json();
    assert_eq!(rest["pipelines"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_large_stage_shows_its_first_tasks_and_counts_them_all() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let stages = json!([{"stage": 1, "name": "each", "task_type": "each", "mode": "map"}]);
    let made = create(&admin, json!({"name": "p", "stages": stages})).await;
    let id = made["pipeline_id"].as_str().unwrap();
    for n in 0..12 {
        let path = format!("/api/v1/artifacts?name=c{n}&pipeline_id={id}&index={n}");
        assert_eq!(admin.request("POST", &path).body("x").await.status, 201);
    }
    let path = format!("/api/v1/pipelines/{id}/execute");
    let running: Value = admin.post(&path, json!({})).await.json();
    assert_eq!(running["stages"][0]["tasks"].as_array().unwrap().len(), 12);
    let list: Value = admin.get("/api/v1/pipelines").await.json();
    let stage = &list["pipelines"][0]["stages"][0];
    assert_eq!(stage["tasks"].as_array().unwrap().len(), 10);
    assert_eq!(stage["counts"]["total"], 12);
}

#[tokio::test]
async fn a_pipeline_of_another_namespace_looks_nonexistent() {
    let server = TestServer::new().await;
    let made = create(
        &server.admin(),
        json!({"pipeline_id": "ours", "name": "p", "template": "techdeck"}),
    )
    .await;
    assert_eq!(made["namespace"], "default");
    let stranger = server
        .key(
            "clinic",
            &["pipeline:read", "pipeline:manage", "pipeline:create"],
        )
        .await;
    let attempts = [
        ("GET", "", None),
        ("GET", "/progress", None),
        ("PUT", "", Some(json!({"name": "x"}))),
        ("POST", "/execute", Some(json!({}))),
        ("POST", "/cancel", Some(json!({}))),
        ("POST", "/retry", Some(json!({}))),
        ("POST", "/stages/1/execute", Some(json!({}))),
    ];
    for (method, tail, body) in attempts {
        let ask = async |id: &str| {
            let path = format!("/api/v1/pipelines/{id}{tail}");
            let request = stranger.request(method, &path).header("if-match", "*");
            let answer = match &body {
                Some(body) => request.json(body).await,
                None => request.empty().await,
            };
            let problem = answer.problem("not_found");
            (problem.status, problem.detail.replace(id, "<id>"))
        };
        assert_eq!(ask("ours").await, ask("nobody").await, "{method} {tail}");
    }
    let list: Value = stranger.get("/api/v1/pipelines").await.json();
    assert_eq!(list["pipelines"], json!([]));
    // The id is free for them: it says nothing of ours.
    create(
        &stranger,
        json!({"pipeline_id": "ours", "name": "p", "template": "techdeck"}),
    )
    .await;
}

#[tokio::test]
async fn a_reader_cannot_steer() {
    let server = TestServer::new().await;
    create(
        &server.admin(),
        json!({"pipeline_id": "p", "name": "p", "template": "techdeck"}),
    )
    .await;
    let reader = server.key("default", &["pipeline:read"]).await;
    assert_eq!(reader.get("/api/v1/pipelines/p").await.status, 200);
    let refused = reader.post("/api/v1/pipelines/p/execute", json!({})).await;
    refused.problem("not_found");
    let refused = reader.post("/api/v1/pipelines", json!({"name": "p"})).await;
    assert_eq!(refused.problem("forbidden").status, 403);
    assert_eq!(get(&reader, "p").await["status"], "created");
}
