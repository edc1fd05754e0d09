//! Pages in the place of pages that there are not.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    middleware,
    response::IntoResponse,
    routing::get,
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::world::{ADMIN_KEY, World};

const PROBLEM: [(header::HeaderName, &str); 1] =
    [(header::CONTENT_TYPE, "application/problem+json")];

/// A server that answers as ours does where no page is: with problems.
fn dressed(world: &World) -> Router {
    Router::new()
        .route(
            "/broken",
            get(async || (StatusCode::INTERNAL_SERVER_ERROR, PROBLEM, "{}")),
        )
        .fallback(async || (StatusCode::NOT_FOUND, PROBLEM, "{}").into_response())
        .layer(middleware::from_fn_with_state(
            world.dashboard.clone(),
            crate::dress,
        ))
}

async fn ask(world: &World, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, String) {
    let mut request = Request::get(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = dressed(world).oneshot(request).await.unwrap();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.unwrap().to_str().unwrap().to_owned();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, kind, String::from_utf8_lossy(&body).into_owned())
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_its_problem() {
    let world = World::new();
    let (status, kind, body) = ask(&world, "/no/such/page", &[BROWSER]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(kind.starts_with("text/html"), "{kind}");
    assert!(body.contains("There is no page `/no/such/page`."), "{body}");
    assert!(!body.contains("aria-label=\"Main\""), "nobody is signed in");
    for (path, fields) in [
        ("/no/such/page", vec![("accept", "application/json")]),
        ("/no/such/page", vec![]),
        ("/api/v1/nothing", vec![BROWSER]),
        ("/health/nothing", vec![BROWSER]),
        ("/no/such/page", vec![BROWSER, ("hx-request", "true")]),
    ] {
        let (status, kind, _) = ask(&world, path, &fields).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(kind, "application/problem+json", "{path} {fields:?}");
    }
}

#[tokio::test]
async fn who_is_signed_in_stays_in_the_frame() {
    let world = World::new();
    let browser = world.signed_in(ADMIN_KEY).await;
    let (name, value) = browser.cookies.iter().next().unwrap();
    let cookie = format!("{name}={value}");
    let fields = [BROWSER, ("cookie", cookie.as_str())];
    let (_, _, body) = ask(&world, "/nothing", &fields).await;
    assert!(body.contains("aria-label=\"Main\""), "{body}");
    let (status, _, body) = ask(&world, "/broken", &fields).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        body.contains("Something went wrong") && body.contains("Try again"),
        "{body}"
    );
    assert!(body.contains("req_1"), "the log can be asked for it");
}

#[tokio::test]
async fn what_is_not_allowed_says_who_one_is_and_what_it_needs() {
    let world = World::new();
    let key = world.key(&[mcpanel_guard::Permission::TaskRead]).await;
    let mut browser = world.signed_in(&key).await;
    let answer = browser.get("/events").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("event:read") && answer.body.contains("read-only"));
    assert!(answer.body.contains("aria-label=\"Main\""));
}

#[tokio::test]
async fn every_page_tells_where_the_server_stands() {
    let world = World::new();
    let mut browser = world.browser();
    let sign_in = browser.get("/sign-in").await.body;
    assert!(sign_in.contains("environment t-warn") && sign_in.contains("mcpanel staging</title>"));
    let mut browser = world.signed_in(ADMIN_KEY).await;
    for path in ["/", "/tasks", "/tasks/none"] {
        let page = browser.get(path).await.body;
        assert!(page.contains("environment t-warn"), "{path}");
    }
}
