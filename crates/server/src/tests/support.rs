//! A small service with one route of each kind.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use axum::{
    Json, Router,
    body::Body,
    http::{HeaderMap, Method, Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use mcpanel_api::{
    Problem,
    page::PageQuery,
    task::{Cancel, NewTask},
};
use mcpanel_domain::{AgentId, KeyId, Namespace, SessionId, TaskId, Timestamp, key::ApiKey};
use mcpanel_guard::{
    ApiKeySecret, KeyDigest, Permission, Permissions, Principal, Secret, Secrets, Tokens,
};
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{Access, Guard, Route},
    auth::{Authenticator, Directory},
    docs, edge,
    error::ApiResult,
    etag,
    extract::{Caller, Idempotent, IfMatch, JsonBodyOrDefault, Path, Prefer, Query},
};

pub const ADMIN_KEY: &str = "an administrator's key for tests";
pub const JWT_SECRET: &str = "a secret to sign tokens with in tests";
pub const NOW: Timestamp = Timestamp::ZERO;

/// The key that may only read tasks.
pub fn reader() -> ApiKeySecret {
    ApiKeySecret::of([1; 32])
}

/// A key that was revoked.
pub fn revoked() -> ApiKeySecret {
    ApiKeySecret::of([2; 32])
}

pub fn tokens() -> Tokens {
    Tokens::new(&Secret::new(JWT_SECRET))
}

struct Keys;

impl Keys {
    fn all() -> [ApiKey; 2] {
        let key = |id: &str, secret: &ApiKeySecret| ApiKey {
            id: KeyId::parse(id).unwrap(),
            namespace: Namespace::parse("clinic").unwrap(),
            revision: 1,
            name: id.to_owned(),
            sha256: *secret.digest().as_bytes(),
            hint: secret.hint().to_owned(),
            permissions: vec!["task:read".to_owned()],
            created_at: NOW,
            created_by: "admin".to_owned(),
            expires_at: None,
            revoked_at: None,
        };
        let mut gone = key("key_revoked", &revoked());
        gone.revoked_at = Some(NOW);
        [key("key_reader", &reader()), gone]
    }
}

#[async_trait]
impl Directory for Keys {
    async fn by_digest(&self, digest: &KeyDigest) -> ApiResult<Option<ApiKey>> {
        Ok(Self::all()
            .into_iter()
            .find(|key| key.sha256 == *digest.as_bytes()))
    }

    async fn by_id(&self, namespace: &Namespace, id: &KeyId) -> ApiResult<Option<ApiKey>> {
        Ok(Self::all()
            .into_iter()
            .find(|key| key.id == *id && key.namespace == *namespace))
    }

    async fn session(&self, _: &Namespace, agent_id: &AgentId) -> ApiResult<Option<SessionId>> {
        Ok((agent_id.as_str() == "agent_1").then(|| SessionId::parse("sess_2").unwrap()))
    }
}

/// Makes a task.
#[utoipa::path(post, path = "/api/v1/tasks", operation_id = "create_task", tag = "tasks", request_body = NewTask,
    responses((status = 200, description = "What was understood.")))]
async fn create(
    caller: Caller,
    prefer: Prefer,
    request: Idempotent<NewTask>,
) -> Json<serde_json::Value> {
    Json(serde_json::json!({
        "by": caller.actor(),
        "namespace": caller.namespace,
        "task_type": request.body.task_type,
        "key": request.key.as_ref().map(|key| key.key.clone()),
        "fingerprint": request.key.map(|key| key.fingerprint),
        "minimal": prefer.minimal,
    }))
}

/// Lists tasks.
#[utoipa::path(get, path = "/api/v1/tasks", operation_id = "list_tasks", tag = "tasks", params(PageQuery),
    responses((status = 200, description = "What was understood.")))]
async fn list(Query(page): Query<PageQuery>) -> Json<PageQuery> {
    Json(page)
}

/// Shows a task.
#[utoipa::path(get, path = "/api/v1/tasks/{task_id}", operation_id = "get_task", tag = "tasks",
    params(("task_id" = String, Path, description = "The task.")), responses((status = 200, description = "Its id.")))]
async fn get(Path(id): Path<TaskId>) -> (impl axum::response::IntoResponseParts, Json<TaskId>) {
    (etag::revision(7), Json(id))
}

/// Changes a task.
#[utoipa::path(put, path = "/api/v1/tasks/{task_id}", operation_id = "update_task", tag = "tasks",
    params(("task_id" = String, Path, description = "The task.")), responses((status = 200, description = "The revision wanted.")))]
async fn update(Path(_): Path<TaskId>, wanted: IfMatch) -> ApiResult<Json<Option<u64>>> {
    Ok(Json(wanted.required()?))
}

/// Cancels a task.
#[utoipa::path(post, path = "/api/v1/tasks/{task_id}/cancel", operation_id = "cancel_task", tag = "tasks",
    params(("task_id" = String, Path, description = "The task.")), request_body = Cancel,
    responses((status = 200, description = "What was understood.")))]
async fn cancel(
    Path(_): Path<TaskId>,
    JsonBodyOrDefault(body): JsonBodyOrDefault<Cancel>,
) -> Json<Cancel> {
    Json(body)
}

/// Tells that the process runs.
#[utoipa::path(get, path = "/health/live", operation_id = "live", tag = "health", responses((status = 200, description = "It does.")))]
async fn live() -> &'static str {
    "alive"
}

async fn panics() -> &'static str {
    panic!("a secret detail")
}

async fn forgotten() -> &'static str {
    "must not be seen"
}

pub fn table() -> Vec<Route> {
    let route = |method, path, operation, access, about| Route {
        method,
        path,
        operation,
        access,
        about,
    };
    let needs = Access::Needs;
    vec![
        route(
            Method::POST,
            "/api/v1/tasks",
            "create_task",
            needs(Permission::TaskCreate),
            None,
        ),
        route(
            Method::GET,
            "/api/v1/tasks",
            "list_tasks",
            needs(Permission::TaskRead),
            None,
        ),
        route(
            Method::GET,
            "/api/v1/tasks/{task_id}",
            "get_task",
            needs(Permission::TaskRead),
            Some("task"),
        ),
        route(
            Method::PUT,
            "/api/v1/tasks/{task_id}",
            "update_task",
            needs(Permission::TaskManage),
            Some("task"),
        ),
        route(
            Method::POST,
            "/api/v1/tasks/{task_id}/cancel",
            "cancel_task",
            Access::Caller,
            Some("task"),
        ),
        route(Method::GET, "/health/live", "live", Access::Public, None),
        route(Method::GET, "/panics", "panics", Access::Public, None),
    ]
}

pub fn service() -> Router {
    let secrets = Secrets {
        admin_key: Secret::new(ADMIN_KEY),
        jwt: Secret::new(JWT_SECRET),
    };
    let authenticator = Authenticator::new(&secrets, Arc::new(Keys), Arc::new(|| NOW));
    let (router, mut openapi) = OpenApiRouter::with_openapi(docs::document())
        .routes(routes!(create, list))
        .routes(routes!(get, update))
        .routes(routes!(cancel))
        .routes(routes!(live))
        .route("/panics", axum::routing::get(panics))
        .route("/forgotten", axum::routing::get(forgotten))
        .split_for_parts();
    docs::describe(&mut openapi, &table());
    let router = Guard::new(table(), Arc::new(authenticator), Default::default()).protect(router);
    edge::wrap(router.merge(docs::router(openapi, None)))
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The problem, after checking what all problems have.
    pub fn problem(&self) -> Problem {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(
            problem.kind,
            format!("https://mcpanel.dev/errors/{}", problem.code)
        );
        assert_eq!(
            problem.request_id.as_deref(),
            Some(self.header("x-request-id"))
        );
        assert!(problem.instance.is_some());
        problem
    }
}

pub async fn send(request: Request<Body>) -> Answer {
    let response: Result<Response<Body>, Infallible> = service().oneshot(request).await;
    let (parts, body) = response.unwrap().into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

/// A request of the administrator's.
pub fn admin(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("x-api-key", ADMIN_KEY)
}

/// A request with a JSON body of the administrator's.
pub async fn post(path: &str, json: &str) -> Answer {
    let request = admin("POST", path).header("content-type", "application/json");
    send(request.body(Body::from(json.to_owned())).unwrap()).await
}

pub fn token_of(permissions: Permissions) -> String {
    let principal = Principal {
        permissions,
        ..Principal::admin()
    };
    tokens().issue(&principal, 60_000, NOW, 1).0
}
