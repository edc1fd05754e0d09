//! Tokens.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method},
};
use mcpanel_api::auth::{TokenRequest, TokenResponse};
use mcpanel_guard::{
    Principal,
    token::{LIFETIME_MS_DEFAULT, LIFETIME_MS_MAX},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{caller, keys::permitted, respond::forbidden};
use crate::{
    access::Route,
    app::App,
    error::ApiResult,
    extract::{Caller, JsonBodyOrDefault},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

pub(super) fn table() -> Vec<Route> {
    // Any key buys tokens, with the permissions that it has itself.
    vec![caller(
        Method::POST,
        "/api/v1/auth/token",
        "create_token",
        None,
    )]
}

/// Buys a token
///
/// Short-lived, with all or some of the permissions of the API key that the caller shows. It ends with the key. A token buys no
/// token.
#[utoipa::path(
    post, path = "/api/v1/auth/token", operation_id = "create_token", tag = "keys", request_body = TokenRequest,
    responses((status = 200, description = "The token.", body = TokenResponse))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonBodyOrDefault(body): JsonBodyOrDefault<TokenRequest>,
) -> ApiResult<Json<TokenResponse>> {
    if !app.authenticator.shows_key(&headers) {
        // A token that could renew itself would never end.
        return Err(forbidden("a token buys no token; show an API key"));
    }
    let permissions = match &body.permissions {
        Some(words) => permitted(&caller, words)?,
        None => caller.permissions,
    };
    let principal = Principal {
        permissions,
        ..caller.0
    };
    let lifetime_ms = body
        .expires_in_ms
        .unwrap_or(LIFETIME_MS_DEFAULT)
        .min(LIFETIME_MS_MAX);
    let (token, expires_at) =
        app.authenticator
            .tokens()
            .issue(&principal, lifetime_ms, app.env.now(), app.env.random());
    Ok(Json(TokenResponse {
        token,
        token_type: "Bearer".to_owned(),
        expires_at,
        namespace: principal.namespace,
        permissions: permissions.words(),
    }))
}
