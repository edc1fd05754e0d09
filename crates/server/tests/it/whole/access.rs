//! Every line of the route table, against callers who may and callers who may not.

use mcpanel_guard::Permission;
use mcpanel_server::access::{Access, Route};

use crate::support::{Client, TestServer};

/// Stands for every id in a path. No such thing exists, and it is a number of a stage, too.
const NOTHING: &str = "7";

fn path(route: &Route) -> String {
    let parts = route
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { NOTHING } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The status of the answer; its body may have no end.
async fn status(client: &Client, route: &Route) -> u16 {
    let call = client.request(route.method.as_str(), &path(route));
    let answer = call
        .header("content-type", "application/json")
        .unread("{}")
        .await;
    answer.status().as_u16()
}

#[tokio::test]
async fn without_credentials_only_what_is_public_answers() {
    let server = TestServer::new().await;
    for route in mcpanel_server::table() {
        let found = status(&server.anonymous(), &route).await;
        match route.access {
            Access::Public => assert_eq!(found, 200, "{}", route.operation),
            Access::Caller | Access::Needs(_) => assert_eq!(found, 401, "{}", route.operation),
        }
    }
}

#[tokio::test]
async fn the_permission_of_a_route_is_needed() {
    let server = TestServer::new().await;
    for route in mcpanel_server::table() {
        let Access::Needs(permission) = route.access else {
            continue;
        };
        let others: Vec<&str> = Permission::ALL
            .iter()
            .filter(|each| **each != permission)
            .map(|each| each.as_str())
            .collect();
        let client = server.key("default", &others).await;
        let answer = client
            .request(route.method.as_str(), &path(&route))
            .header("content-type", "application/json")
            .body("{}")
            .await;
        // Who may not see a document learns nothing about it, not even that there is a permission for it.
        match route.about {
            Some(what) => {
                let problem = answer.refused(404, "not_found");
                assert_eq!(
                    problem.detail,
                    format!("no {what} `{NOTHING}`"),
                    "{}",
                    route.operation
                );
            }
            None => {
                let problem = answer.refused(403, "forbidden");
                assert!(
                    problem.detail.contains(permission.as_str()),
                    "{}",
                    route.operation
                );
            }
        }
    }
}

#[tokio::test]
async fn the_permission_of_a_route_is_enough() {
    let server = TestServer::new().await;
    for route in mcpanel_server::table() {
        let Access::Needs(permission) = route.access else {
            continue;
        };
        let client = server.key("default", &[permission.as_str()]).await;
        let found = status(&client, &route).await;
        assert!(
            ![401, 403, 405, 500].contains(&found),
            "{}: {found}",
            route.operation
        );
    }
}

#[tokio::test]
async fn routes_for_any_caller_look_closer_themselves() {
    let server = TestServer::new().await;
    server.agent("one", &["work"]).await;
    let task = server.task("work").await;
    let nobody = server.key("default", &[]).await;
    let executor = server.key("default", &["task:execute"]).await;
    let one = "/api/v1/agents/one";
    let cancel = format!("/api/v1/tasks/{task}/cancel");
    let before = server.everything().await;

    nobody.delete(one).await.refused(404, "not_found");
    nobody
        .put(one, "*", serde_json::json!({"name": "x"}))
        .await
        .refused(404, "not_found");
    nobody
        .post(&cancel, serde_json::json!({}))
        .await
        .refused(404, "not_found");
    nobody
        .post(&cancel, serde_json::json!({"lease": "1-0"}))
        .await
        .refused(404, "not_found");
    executor
        .post(&cancel, serde_json::json!({}))
        .await
        .refused(404, "not_found");
    executor
        .post(&cancel, serde_json::json!({"lease": "1-0"}))
        .await
        .refused(409, "stale_lease");

    assert_eq!(server.everything().await, before);
    let callers: Vec<&str> = mcpanel_server::table()
        .iter()
        .filter(|route| route.access == Access::Caller)
        .map(|route| route.operation)
        .collect();
    assert_eq!(
        callers,
        [
            "update_agent",
            "delete_agent",
            "cancel_task",
            "create_token"
        ],
        "and no others"
    );
}
