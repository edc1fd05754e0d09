//! What surrounds every request: its id, a guard against panics, headers that every answer has, and
//! problems for what axum refuses itself.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::FutureExt;

use crate::{
    error::{ApiError, Code, quoted},
    limits::REQUEST_ID_CHARS_MAX,
};

/// The header that carries request ids in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Clone)]
struct Context {
    request_id: HeaderValue,
    path: String,
    /// Who asks, once that is known.
    caller: Arc<OnceLock<String>>,
}

tokio::task_local! {
    static CONTEXT: Context;
}

/// The id of the request that is being answered here.
pub fn request_id() -> Option<String> {
    CONTEXT
        .try_with(|context| context.request_id.to_str().ok().map(str::to_owned))
        .ok()
        .flatten()
}

/// The path of the request that is being answered here.
pub fn request_path() -> Option<String> {
    CONTEXT.try_with(|context| context.path.clone()).ok()
}

/// Writes down who sent the request that is being answered here.
pub fn note_caller(actor: String) {
    // Outside a request there is nothing to write it into, and a second caller of one request there is not.
    let _ = CONTEXT.try_with(|context| context.caller.set(actor));
}

/// Who sent the request that is being answered here, where credentials were checked.
pub fn caller() -> Option<String> {
    CONTEXT
        .try_with(|context| context.caller.get().cloned())
        .ok()
        .flatten()
}

/// Wraps the whole router: unknown paths and methods become problems, and every request gets its surroundings.
pub fn wrap<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn(surround))
}

async fn no_such_path(uri: Uri) -> ApiError {
    let path = quoted(uri.path());
    let hint = if uri.path().len() > 1 && uri.path().ends_with('/') {
        "; leave the slash at the end away"
    } else {
        "; `/openapi.json` lists what there is"
    };
    ApiError::new(Code::NotFound, format!("no path `{path}`{hint}"))
}

async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    // The `Allow` header is added by axum, which knows the route.
    let detail = format!(
        "`{}` is not possible on `{}`; the header `Allow` tells what is",
        quoted(method.as_str()),
        quoted(uri.path())
    );
    ApiError::new(Code::MethodNotAllowed, detail)
}

async fn surround(request: Request, next: Next) -> Response {
    let request_id = given_id(&request).unwrap_or_else(make_id);
    let context = Context {
        request_id: request_id.clone(),
        path: request.uri().path().to_owned(),
        caller: Arc::default(),
    };
    let mut response = CONTEXT
        .scope(context, async {
            match AssertUnwindSafe(next.run(request)).catch_unwind().await {
                Ok(response) => response,
                Err(panic) => ApiError::internal(describe(&*panic)).into_response(),
            }
        })
        .await;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, request_id);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    // Answers may hold health data: no cache between us and the caller keeps them.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The caller's own id, if it is one that is safe to repeat in headers and logs.
fn given_id(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(X_REQUEST_ID)?;
    let safe = |b: &u8| b.is_ascii_alphanumeric() || b"._:-/+=".contains(b);
    ((1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.as_bytes().iter().all(safe))
        .then(|| id.clone())
}

fn make_id() -> HeaderValue {
    HeaderValue::try_from(format!("req_{:032x}", rand::random::<u128>()))
        .expect("letters and digits are a header value")
}

fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", message.unwrap_or("no message"))
}
