//! Templates over the real router: versions, the built-in one, and the snapshot that a run keeps.

use serde_json::{Value, json};

use crate::support::{Client, TestServer};

fn template(name: &str) -> Value {
    json!({"template_id": "mine", "description": name, "stages": [{"stage": 1, "name": name, "task_type": "work"}]})
}

async fn store(client: &Client, body: Value) -> Value {
    let answer = client.post("/api/v1/templates", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn each_change_is_a_new_version_and_old_ones_stay() {
    let server = TestServer::new().await;
    let admin = server.admin();
    assert_eq!(store(&admin, template("first")).await["version"], 1);
    assert_eq!(store(&admin, template("second")).await["version"], 2);
    let newest: Value = admin.get("/api/v1/templates/mine").await.json();
    assert_eq!(
        (&newest["version"], &newest["description"]),
        (&json!(2), &json!("second"))
    );
    let old: Value = admin.get("/api/v1/templates/mine?version=1").await.json();
    assert_eq!(old["stages"][0]["name"], "first");
    let missing = admin
        .get("/api/v1/templates/mine?version=3")
        .await
        .problem("not_found");
    assert_eq!(
        missing.detail,
        "template `mine` has no version 3; its newest version is 2"
    );
    admin
        .get("/api/v1/templates/mine?version=0")
        .await
        .problem("validation");
}

#[tokio::test]
async fn a_run_keeps_the_version_it_was_made_of() {
    let server = TestServer::new().await;
    let admin = server.admin();
    store(&admin, template("first")).await;
    let made: Value = admin
        .post(
            "/api/v1/pipelines",
            json!({"name": "p", "template": "mine"}),
        )
        .await
        .json();
    store(&admin, template("second")).await;
    let path = format!(
        "/api/v1/pipelines/{}",
        made["pipeline_id"].as_str().unwrap()
    );
    let kept: Value = admin.get(&path).await.json();
    assert_eq!(
        (&kept["template_id"], &kept["template_version"]),
        (&json!("mine"), &json!(1))
    );
    assert_eq!(kept["stages"][0]["name"], "first");
    let of_old: Value = admin
        .post(
            "/api/v1/pipelines",
            json!({"name": "p", "template": "mine", "template_version": 1}),
        )
        .await
        .json();
    assert_eq!(of_old["stages"][0]["name"], "first");
    let of_new: Value = admin
        .post(
            "/api/v1/pipelines",
            json!({"name": "p", "template": "mine"}),
        )
        .await
        .json();
    assert_eq!(of_new["template_version"], 2);
}

#[tokio::test]
async fn techdeck_is_there_from_the_start_and_cannot_be_replaced() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let built_in: Value = admin.get("/api/v1/templates/techdeck").await.json();
    let names: Vec<_> = built_in["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "data_ingestion",
            "preprocessing",
            "bias_detection",
            "standardization",
            "validation",
            "output_generation"
        ]
    );
    let mut body = template("x");
    body["template_id"] = json!("techdeck");
    let problem = admin
        .post("/api/v1/templates", body)
        .await
        .problem("validation");
    assert_eq!(problem.errors[0].pointer, "/template_id");
}

#[tokio::test]
async fn a_list_shows_the_newest_version_of_each() {
    let server = TestServer::new().await;
    let admin = server.admin();
    store(&admin, template("first")).await;
    store(&admin, template("second")).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/templates?limit=1".to_owned();
    loop {
        let page: Value = admin.get(&path).await.json();
        for each in page["templates"].as_array().unwrap() {
            seen.push((
                each["template_id"].as_str().unwrap().to_owned(),
                each["version"].as_u64().unwrap(),
            ));
        }
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/api/v1/templates?limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [("mine".to_owned(), 2), ("techdeck".to_owned(), 1)]);
}

#[tokio::test]
async fn a_repeated_request_stores_one_version() {
    let server = TestServer::new().await;
    let admin = server.admin();
    for replayed in ["", "true"] {
        let answer = admin
            .request("POST", "/api/v1/templates")
            .header("idempotency-key", "k-1")
            .json(&template("first"))
            .await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("idempotent-replayed"), replayed);
        assert_eq!(answer.json()["version"], 1);
    }
}

#[tokio::test]
async fn a_template_of_another_namespace_looks_nonexistent() {
    let server = TestServer::new().await;
    store(&server.admin(), template("first")).await;
    let stranger = server
        .key(
            "clinic",
            &["pipeline:read", "pipeline:create", "template:manage"],
        )
        .await;
    stranger
        .get("/api/v1/templates/mine")
        .await
        .problem("not_found");
    let refused = stranger
        .post(
            "/api/v1/pipelines",
            json!({"name": "p", "template": "mine"}),
        )
        .await
        .problem("validation");
    assert_eq!(refused.errors[0].code, "unknown_template");
    assert_eq!(store(&stranger, template("theirs")).await["version"], 1);
    let ours: Value = server.admin().get("/api/v1/templates/mine").await.json();
    assert_eq!(ours["description"], "first");
}
