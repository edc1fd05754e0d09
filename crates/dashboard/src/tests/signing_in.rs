use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use mcpanel_domain::KeyId;
use mcpanel_guard::Permission;

use super::world::{ADMIN_KEY, World};
use crate::session::SESSION;

#[tokio::test]
async fn a_page_leads_to_the_sign_in_and_back() {
    let world = World::new();
    let mut browser = world.browser();
    let answer = browser.get("/tasks?status=failed").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let target = answer.header("location").to_owned();
    assert_eq!(target, "/sign-in?next=%2Ftasks%3Fstatus%3Dfailed");
    let form = browser.get(&target).await;
    let fields = [
        ("csrf", &*form.field("csrf")),
        ("next", &*form.field("next")),
        ("credential", ADMIN_KEY),
    ];
    let answer = browser.post("/sign-in", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), "/tasks?status=failed");
    assert_eq!(browser.get("/tasks").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_way_back_never_leads_elsewhere() {
    let world = World::new();
    for next in [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
    ] {
        let mut browser = world.browser();
        let token = browser.get("/sign-in").await.field("csrf");
        let fields = [("csrf", &*token), ("next", next), ("credential", ADMIN_KEY)];
        let answer = browser.post("/sign-in", &fields).await;
        assert_eq!(answer.header("location"), "/", "{next}");
    }
}

#[tokio::test]
async fn a_wrong_credential_opens_nothing_and_is_not_repeated() {
    let world = World::new();
    let mut browser = world.browser();
    let answer = browser.sign_in("mcp_wrong<script>").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("role=\"alert\""));
    assert!(!answer.body.contains("mcp_wrong"));
    assert!(!browser.cookies.contains_key(SESSION));
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_sign_in_form_of_another_browser_is_refused() {
    let world = World::new();
    let token = world.browser().get("/sign-in").await.field("csrf");
    let mut browser = world.browser();
    let fields = [("csrf", &*token), ("credential", ADMIN_KEY)];
    let answer = browser.post("/sign-in", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn scripts_and_other_sites_cannot_have_the_cookie() {
    let world = World::new();
    let mut browser = world.browser();
    let answer = browser.sign_in(ADMIN_KEY).await;
    let cookie = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .find(|line| line.to_str().unwrap().starts_with(SESSION))
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(
        !cookie.contains("Secure"),
        "a browser would drop it over HTTP"
    );
    assert!(!cookie.contains(ADMIN_KEY), "the key itself is not kept");
}

#[tokio::test]
async fn over_https_the_cookie_stays_on_https() {
    let world = World::new();
    let mut browser = world.browser();
    let token = browser.get("/sign-in").await.field("csrf");
    let request = Request::post("/sign-in")
        .header("origin", "https://panel.test")
        .header("content-type", "application/x-www-form-urlencoded");
    let body = Body::from(format!("csrf={token}&credential={ADMIN_KEY}"));
    let answer = browser.send(request, body).await;
    let line = answer.headers.get("set-cookie").unwrap().to_str().unwrap();
    assert!(
        line.starts_with("__Host-mcpanel_session=") && line.ends_with("; Secure"),
        "{line}"
    );
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_signs_in_for_as_long_as_it_lives_itself() {
    let world = World::new();
    let token = world.token();
    let browser = world.signed_in(&token).await;
    assert_eq!(browser.cookies[SESSION], token);
}

#[tokio::test]
async fn revoking_the_key_ends_its_sessions() {
    let world = World::new();
    let key = world.key(&[Permission::TaskRead]).await;
    let mut browser = world.signed_in(&key).await;
    assert_eq!(browser.get("/tasks").await.status, StatusCode::OK);
    let keys = world.control.catalog.keys(&world.scope).await.unwrap();
    let id: &KeyId = &keys[0].id;
    world
        .control
        .catalog
        .revoke_key(&world.scope, id)
        .await
        .unwrap();
    assert_eq!(browser.get("/tasks").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_out_ends_the_session_in_this_browser() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let answer = browser.act("/sign-out", &[]).await;
    assert_eq!(answer.header("location"), "/sign-in");
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_script_is_told_to_sign_in_instead_of_shown_a_form() {
    let world = World::new();
    let mut browser = world.browser();
    let request = Request::get("/tasks").header("hx-request", "true");
    let answer = browser.send(request, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("hx-redirect"), "/sign-in?next=%2Ftasks");
}

#[tokio::test]
async fn whoever_is_signed_in_is_called_by_the_name_of_the_key() {
    let world = World::new();
    let key = world.key(&[Permission::TaskRead]).await;
    let keys = world.control.catalog.keys(&world.scope).await.unwrap();
    let mut browser = world.signed_in(&key).await;
    let page = browser.get("/tasks").await.body;
    let written = format!(
        "<span class=\"who-name\" title=\"key:{}\">test</span>",
        keys[0].id
    );
    assert!(page.contains(&written), "{page}");
    let mut admin = world.signed_in(ADMIN_KEY).await;
    assert!(admin.get("/tasks").await.body.contains(">admin</span>"));
}
