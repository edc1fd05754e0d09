use axum::{body::Body, http::Request};
use serde_json::{Map, Value, json};

use super::support::*;
use crate::body::Shape;

async fn get(path: &str) -> Answer {
    send(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_document_tells_what_every_operation_needs_and_how_it_fails() {
    let answer = get("/openapi.json").await;
    let document: Value = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let create = &document["paths"]["/api/v1/tasks"]["post"];
    assert_eq!(create["operationId"], "create_task");
    assert_eq!(create["description"], "Needs the permission `task:create`.");
    assert_eq!(create["security"], json!([{"api_key": []}, {"bearer": []}]));
    let problem =
        &create["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(*problem, "#/components/schemas/Problem");
    assert_eq!(
        document["paths"]["/health/live"]["get"]["security"],
        json!([])
    );

    let again = Request::get("/openapi.json").header("if-none-match", answer.header("etag"));
    assert_eq!(send(again.body(Body::empty()).unwrap()).await.status, 304);
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let document: Value = get("/openapi.json").await.json();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 10);
    for reference in references {
        assert!(
            document
                .pointer(reference.trim_start_matches('#'))
                .is_some(),
            "{reference}"
        );
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                found.push(reference.to_owned());
            }
            map.values()
                .for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_schema_in_the_document_can_be_checked() {
    let document: Value = get("/openapi.json").await.json();
    let schemas: &Map<String, Value> = document["components"]["schemas"].as_object().unwrap();
    // Bytes of files are no JSON and never checked as such.
    let json = |(_, schema): &(&String, &Value)| schema["format"] != "binary";
    for (name, _) in schemas.iter().filter(json) {
        Shape::of_component(name, schemas).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn the_pages_come_from_here_and_load_nothing_from_elsewhere() {
    assert_eq!(get("/docs").await.header("location"), "/docs/");
    for (path, marks) in [
        ("/docs/", &["swagger-ui-bundle.js"][..]),
        ("/docs/swagger-initializer.js", &["/openapi.json"]),
        (
            "/redoc",
            &["spec-url=\"/openapi.json\"", "/redoc/redoc.standalone.js"],
        ),
        ("/redoc/redoc.standalone.js", &["Redoc"]),
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        for mark in marks {
            assert!(answer.text().contains(mark), "{path} has {mark}");
        }
        if answer.header("content-type").starts_with("text/html") {
            assert!(!answer.text().contains("//cdn"), "{path}");
            assert!(
                answer
                    .header("content-security-policy")
                    .starts_with("default-src 'none'"),
                "{path}"
            );
        }
    }
    assert_eq!(get("/docs/nothing.js").await.problem().code, "not_found");
}

#[tokio::test]
async fn who_reads_gzip_gets_gzip() {
    let request = Request::get("/redoc/redoc.standalone.js").header("accept-encoding", "br, gzip");
    let answer = send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(answer.body[..2], [0x1f, 0x8b]);
}
