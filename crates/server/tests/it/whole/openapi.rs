//! The description of the API, the route table and the router say the same.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::support::TestServer;

/// What OpenAPI calls operations.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn document() -> Value {
    serde_json::to_value(mcpanel_server::openapi()).unwrap()
}

#[test]
fn every_operation_is_in_the_table_and_every_line_of_the_table_an_operation() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let id = item[*method]["operationId"].as_str().unwrap();
            described.insert((path.clone(), method.to_uppercase(), id.to_owned()));
        }
    }
    let table: BTreeSet<_> = mcpanel_server::table()
        .iter()
        .map(|route| {
            (
                route.path.to_owned(),
                route.method.to_string(),
                route.operation.to_owned(),
            )
        })
        .collect();
    assert_eq!(described, table);
}

#[test]
fn operation_ids_are_unique() {
    let table = mcpanel_server::table();
    let ids: BTreeSet<_> = table.iter().map(|route| route.operation).collect();
    assert_eq!(ids.len(), table.len());
}

#[test]
fn every_operation_tells_what_it_does_and_answers() {
    for (path, item) in document()["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let operation = &item[*method];
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(
                !summary.is_empty() && !summary.ends_with('.'),
                "{method} {path}: `{summary}`"
            );
            assert_eq!(
                operation["tags"].as_array().unwrap().len(),
                1,
                "{method} {path}"
            );
            let parameters = operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let named: BTreeSet<_> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                .collect();
            let wanted: BTreeSet<_> = path
                .split('/')
                .filter(|part| part.starts_with('{'))
                .map(str::to_owned)
                .collect();
            assert_eq!(named, wanted, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_served_document_is_the_described_one() {
    let server = TestServer::new().await;
    assert_eq!(
        server.anonymous().get("/openapi.json").await.ok(200),
        document()
    );
}

#[test]
fn the_checked_in_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/openapi.json");
    let checked_in: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(
        checked_in == document(),
        "`openapi/openapi.json` is out of date; run `cargo xtask openapi` and commit the change"
    );
}
