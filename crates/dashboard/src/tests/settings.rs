//! Settings: keys.

use axum::http::StatusCode;

use super::world::{ADMIN_KEY, World};

#[tokio::test]
async fn a_key_is_shown_once_and_gives_no_more_than_its_maker_has() {
    let world = World::new();
    let mut browser = world.signed_in(ADMIN_KEY).await;
    let fields = [("name", "ci"), ("role", "operator"), ("days", "90")];
    let made = browser.act("/settings/keys", &fields).await;
    let (_, rest) = made.body.split_once("data-copy=\"mcp_").unwrap();
    let key = format!("mcp_{}", rest.split('"').next().unwrap());
    assert!(!browser.get("/settings/keys").await.body.contains(&key));
    let mut operator = world.signed_in(&key).await;
    assert!(operator.get("/").await.body.contains("operator"));
    assert_eq!(
        operator.get("/settings/keys").await.status,
        StatusCode::FORBIDDEN
    );

    use mcpanel_guard::Permission as P;
    let half = world.key(&[P::KeyManage, P::TaskRead]).await;
    let mut half = world.signed_in(&half).await;
    let refused = half
        .act(
            "/settings/keys",
            &[("name", "x"), ("role", "admin"), ("days", "30")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .body
            .contains("You cannot give what you do not have")
    );
}

#[tokio::test]
async fn an_operator_is_who_may_exactly_what_that_role_gives() {
    use mcpanel_guard::Permission as P;
    let world = World::new();
    for (permissions, word) in [
        (&[P::TaskRead, P::TaskManage][..], "chosen rights"),
        (&[P::TaskRead, P::ArtifactWrite], "chosen rights"),
        (&[P::TaskRead, P::EventRead], "read-only"),
    ] {
        let key = world.key(permissions).await;
        let mut browser = world.signed_in(&key).await;
        let page = browser.get("/tasks").await.body;
        let (_, role) = page.split_once("class=\"who-role\">").unwrap();
        assert!(role.starts_with(word), "{permissions:?}: {page}");
    }
}

#[tokio::test]
async fn settings_are_offered_to_whoever_may_see_some() {
    use mcpanel_guard::Permission as P;
    const LINK: &str = "href=\"/settings\"";
    let world = World::new();
    for (permission, offered) in [
        (P::TaskRead, false),
        (P::PipelineRead, true),
        (P::KeyManage, true),
    ] {
        let key = world.key(&[permission]).await;
        let page = world.signed_in(&key).await.get("/").await.body;
        assert_eq!(page.contains(LINK), offered, "{permission:?}");
    }
}
