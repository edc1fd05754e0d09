use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use mcpanel_domain::task::Status;
use mcpanel_guard::Permission;

use super::world::{ADMIN_KEY, World};
use crate::{guard::Access, routes};

/// A path of a route with something in the place of each parameter.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| match part {
            "{stage}" => "1",
            part if part.starts_with('{') => "some_id",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

const READS: [Permission; 6] = [
    Permission::TaskRead,
    Permission::PipelineRead,
    Permission::AgentRead,
    Permission::EventRead,
    Permission::ArtifactRead,
    Permission::SystemHealth,
];

#[tokio::test]
async fn nobody_sees_or_does_anything_without_a_session() {
    let world = World::new();
    for route in routes::table() {
        if route.access == Access::Public {
            continue;
        }
        let mut browser = world.browser();
        let path = filled(route.path);
        let answer = if route.method == Method::GET {
            browser.get(&path).await
        } else {
            browser.post(&path, &[]).await
        };
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{} {path}",
            route.method
        );
        assert!(answer.header("location").starts_with("/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn every_route_asks_for_its_permission() {
    let world = World::new();
    for route in routes::table() {
        let Access::Needs(permission) = route.access else {
            continue;
        };
        let others: Vec<Permission> = Permission::ALL
            .iter()
            .copied()
            .filter(|each| *each != permission)
            .collect();
        let key = world.key(&others).await;
        let mut browser = world.signed_in(&key).await;
        let path = filled(route.path);
        let answer = if route.method == Method::GET {
            browser.get(&path).await
        } else {
            browser.act(&path, &[]).await
        };
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{} {path}",
            route.method
        );
        assert!(answer.body.contains(permission.as_str()), "{path}");
    }
}

#[tokio::test]
async fn every_action_needs_the_token_of_its_own_session() {
    let world = World::new();
    let foreign = world
        .signed_in(ADMIN_KEY)
        .await
        .get("/")
        .await
        .field("csrf");
    let mut browser = world.signed_in(&world.token()).await;
    for route in routes::table() {
        if route.method != Method::POST || route.access == Access::Public {
            continue;
        }
        let path = filled(route.path);
        for token in ["", "x", &foreign] {
            let answer = if path == "/pipelines/new" {
                let body = format!(
                    "--b\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b--\r\n"
                );
                let request =
                    Request::post(&path).header("content-type", "multipart/form-data; boundary=b");
                browser.send(request, Body::from(body)).await
            } else {
                browser.post(&path, &[("csrf", token)]).await
            };
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path} with `{token}`"
            );
        }
    }
}

#[tokio::test]
async fn an_action_that_another_site_sends_is_refused_even_with_the_right_token() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let token = browser.get("/").await.field("csrf");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
    ] {
        let request = Request::post(format!("/tasks/{id}/cancel"))
            .header(name, value)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = browser
            .send(request, Body::from(format!("csrf={token}")))
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let task = world
        .control
        .tasks
        .get(&world.scope, &id)
        .await
        .unwrap()
        .task;
    assert_eq!(task.status(), Status::Pending);
}

#[tokio::test]
async fn who_only_reads_sees_every_page_and_no_button_that_changes_something() {
    let world = World::new();
    let id = world.task("task_1", "{}").await;
    let key = world.key(&READS).await;
    let mut browser = world.signed_in(&key).await;
    for path in [
        "/",
        "/agents",
        "/tasks",
        "/pipelines",
        "/events",
        "/operations",
        "/settings/templates",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let forms = answer.body.matches("method=\"post\"").count();
        assert_eq!(forms, 1, "{path}: the sign-out and nothing else");
        assert!(answer.body.contains("read-only"), "{path}");
    }
    let page = browser.get(&format!("/tasks/{id}")).await.body;
    assert!(page.contains("/reveal") && !page.contains("/cancel"));
}

#[tokio::test]
async fn pages_forbid_what_is_not_from_here() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    for path in ["/", "/sign-in", "/tasks", "/tasks/none", "/settings/keys"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(
            !answer.body.contains(" style=") && !answer.body.contains("<style"),
            "{path}"
        );
        assert!(
            !answer.body.contains(" onclick") && !answer.body.contains("<script>"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn assets_are_kept_forever_under_a_name_that_changes_with_them() {
    let world = World::new();
    let mut browser = world.browser();
    let page = browser.get("/sign-in").await.body;
    let (_, rest) = page.split_once("/assets/").unwrap();
    let path = format!("/assets/{}", rest.split('"').next().unwrap());
    let answer = browser.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("cache-control").contains("immutable"));
    let etag = answer.header("etag").to_owned();
    let request = Request::get(&path).header("if-none-match", etag);
    let again = browser.send(request, Body::empty()).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let (_, name) = path.rsplit_once('/').unwrap();
    let old = browser.get(&format!("/assets/0000/{name}")).await;
    assert_eq!(old.header("cache-control"), "no-cache");
    assert_eq!(
        browser.get("/assets/x/none.js").await.status,
        StatusCode::NOT_FOUND
    );
}
