//! API keys.

use axum::{
    Json,
    extract::State,
    http::{Method, StatusCode},
    response::Response,
};
use mcpanel_api::{
    key::{ApiKeyMade, ApiKeyPage, NewApiKey},
    page::PageQuery,
    schema,
};
use mcpanel_control::NewKey;
use mcpanel_domain::{Fault, KeyId, Namespace};
use mcpanel_guard::{ApiKeySecret, Permission, Permissions, Role};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    needs,
    respond::{self, forbidden},
};
use crate::{
    access::Route,
    app::{App, idempotency},
    error::{ApiError, ApiResult},
    extract::{Caller, Idempotent, Path, Query},
    views::{self, page},
};

/// What the cursors of key lists are bound to.
const KEYS: &str = "keys";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(revoke))
}

pub(super) fn table() -> Vec<Route> {
    let manage = |method, path, operation, about| {
        needs(method, path, operation, Permission::KeyManage, about)
    };
    vec![
        manage(Method::POST, "/api/v1/keys", "create_key", None),
        manage(Method::GET, "/api/v1/keys", "list_keys", None),
        manage(
            Method::DELETE,
            "/api/v1/keys/{key_id}",
            "delete_key",
            Some("key"),
        ),
    ]
}

/// Makes an API key
///
/// The secret is shown in this answer and kept only as a hash. Nobody can give a permission that they do not have, and only an
/// administrator names another namespace. A repeated request with the same `Idempotency-Key` gets the same key without
/// its secret.
#[utoipa::path(
    post, path = "/api/v1/keys", operation_id = "create_key", tag = "keys", request_body = NewApiKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat.")),
    responses((status = 201, description = "The key and its secret.", body = ApiKeyMade, headers(
        ("Idempotent-Replayed" = String, description = "`true` when an equal request made it before."))))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Idempotent<NewApiKey>,
) -> ApiResult<Response> {
    let NewApiKey {
        name,
        permissions,
        namespace,
        expires_at,
    } = request.body;
    let permissions = permitted(&caller, &permissions)?;
    let secret = ApiKeySecret::of(random_bytes(&app));
    let new = NewKey {
        name,
        sha256: *secret.digest().as_bytes(),
        hint: secret.hint().to_owned(),
        permissions: permissions.words(),
        namespace: opened(&caller, namespace)?,
        expires_at,
    };
    let made = app
        .control
        .catalog
        .create_key(&app.scope(&caller), new, idempotency(request.key).as_ref())
        .await?;
    let answer = ApiKeyMade {
        key: views::key::key(&made.value),
        api_key: (!made.replayed).then(|| secret.reveal().to_owned()),
    };
    Ok(respond::created(made.replayed, answer))
}

/// Lists API keys
///
/// Those of the caller's namespace, newest first, revoked ones too.
#[utoipa::path(
    get, path = "/api/v1/keys", operation_id = "list_keys", tag = "keys", params(PageQuery),
    responses((status = 200, description = "A page of keys, without their secrets.", body = ApiKeyPage))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<ApiKeyPage>> {
    let page = page::page(KEYS, query.limit, query.cursor.as_deref())?;
    let keys = app.control.catalog.keys(&app.scope(&caller)).await?;
    let listing = page::cut(keys, &page, |key| views::key::position(key));
    Ok(Json(ApiKeyPage {
        keys: listing
            .items
            .iter()
            .map(|key| views::key::key(key))
            .collect(),
        next_cursor: page::next_cursor(KEYS, listing.next),
    }))
}

/// Revokes an API key
///
/// It stops working at once, and so do the tokens that it bought. It stays in the list.
#[utoipa::path(
    delete, path = "/api/v1/keys/{key_id}", operation_id = "delete_key", tag = "keys",
    params(("key_id" = schema::Id, Path, description = "Which key.")),
    responses((status = 204, description = "It is revoked."))
)]
async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KeyId>,
) -> ApiResult<StatusCode> {
    let scope = app.scope(&caller);
    app.control.catalog.revoke_key(&scope, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The permissions that a caller asks to pass on: all known, and all the caller's own.
pub(super) fn permitted(caller: &Caller, words: &[String]) -> ApiResult<Permissions> {
    let wanted = Permissions::parse(words.iter().map(String::as_str)).map_err(|unknown| {
        let faults = unknown.into_iter().map(|(at, error)| {
            Fault::new(
                format!("/permissions/{at}"),
                "unknown_value",
                error.to_string(),
            )
        });
        ApiError::validation(faults.collect())
    })?;
    let missing = wanted.without(caller.permissions);
    if missing.is_empty() {
        return Ok(wanted);
    }
    let words: Vec<String> = missing
        .words()
        .iter()
        .map(|word| format!("`{word}`"))
        .collect();
    Err(forbidden(format!(
        "nobody can pass on what they do not have: {}",
        words.join(", ")
    )))
}

/// The namespace that a new key opens.
fn opened(caller: &Caller, wanted: Option<Namespace>) -> ApiResult<Namespace> {
    match wanted {
        None => Ok(caller.namespace.clone()),
        Some(wanted) if wanted == caller.namespace || caller.role == Role::Admin => Ok(wanted),
        Some(_) => Err(forbidden(
            "only an administrator makes keys for another namespace; leave `namespace` out",
        )),
    }
}

fn random_bytes(app: &App) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (one, other) = bytes.split_at_mut(16);
    one.copy_from_slice(&app.env.random().to_be_bytes());
    other.copy_from_slice(&app.env.random().to_be_bytes());
    bytes
}
