//! A store without room: changes are refused in clear words, and reading goes on.

use mcpanel_store_embedded::{EmbeddedStore, Options};
use serde_json::json;

use crate::support::{Answer, TestServer};

/// Bytes of one task's parameters: a few hundred of them fill the store below.
const PARAMETERS_BYTES: usize = 16 * 1024;

/// A store whose tables hold a megabyte.
fn small(folder: &std::path::Path) -> TestServer {
    TestServer::over(|clock| {
        let options = Options {
            segment_bytes: 256 * 1024,
            table_pages_max: Some(256),
            ..Options::new(clock)
        };
        EmbeddedStore::open(folder, options).unwrap()
    })
}

/// Makes tasks until one is refused: how many were made, and the refusal.
async fn fill(server: &TestServer) -> (usize, Answer) {
    let text = "x".repeat(PARAMETERS_BYTES);
    for made in 0..1_000 {
        let body = json!({"task_type": "work", "task_id": format!("t-{made}"), "parameters": {"text": text}});
        let answer = server.admin().post("/api/v1/tasks", body).await;
        if answer.status != 201 {
            return (made, answer);
        }
    }
    panic!("the store has no end");
}

#[tokio::test]
async fn a_full_store_refuses_changes_and_goes_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    let server = small(folder.path());

    let (made, refused) = fill(&server).await;

    refused.refused(503, "store_read_only");
    assert_eq!(refused.header("retry-after"), "30");
    assert!(made > 0);
    for task in [0, made - 1] {
        let seen = server.see(&format!("t-{task}")).await;
        assert_eq!(
            seen["parameters"]["text"].as_str().unwrap().len(),
            PARAMETERS_BYTES
        );
    }
    let nothing = server.admin().get(&format!("/api/v1/tasks/t-{made}")).await;
    nothing.refused(404, "not_found");
    server.anonymous().get("/health/ready").await.ok(503);
    let health = server.anonymous().get("/health").await.ok(200);
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["checks"]["database"]["status"], "degraded");
}
