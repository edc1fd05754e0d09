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
