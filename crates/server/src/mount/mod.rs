//! Serving below a path, as one application among others of a host.
//!
//! Requests lose the path before anything looks at them, so that routes, permissions, logs and metrics know one name for a
//! thing. Those without it are served as well: probes ask a server directly, and many proxies take the path away
//! themselves. What answers bring back to a browser gets it: where headers lead, the cookies, and the links of pages.

mod base;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use mcpanel_dashboard::Page;
use tower::Layer;

use crate::error::ApiError;
pub use base::{BasePath, NoBasePath};

/// The header that sends a script's page elsewhere.
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The attributes of pages that lead somewhere, up to the slash that their value begins with. Text on pages cannot hold
/// them, because quotation marks in it are escaped.
const LEADING: [&str; 7] = [
    " action=\"/",
    " data-base=\"/",
    " data-charts=\"/",
    " formaction=\"/",
    " href=\"/",
    " hx-get=\"/",
    " src=\"/",
];

/// Longest page, in bytes; ours have some hundreds of kilobytes at most.
const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A router whose paths are found below `base` too, and whose answers lead there.
pub fn below(base: BasePath, router: Router) -> Router {
    // Around the router rather than in it: its layers come after the route was chosen.
    Router::new().fallback_service(middleware::from_fn_with_state(base, mount).layer(router))
}

async fn mount(State(base): State<BasePath>, mut request: Request, next: Next) -> Response {
    if let Some(inner) = base.without(request.uri()) {
        *request.uri_mut() = inner;
    }
    let mut response = next.run(request).await;
    lead(&base, response.headers_mut());
    match response.extensions_mut().remove::<Page>() {
        Some(Page) => with_links(&base, response).await,
        None => response,
    }
}

/// Puts the path into the headers that lead somewhere, and keeps cookies below it.
fn lead(base: &BasePath, headers: &mut HeaderMap) {
    for name in [header::LOCATION, HX_REDIRECT] {
        let Some(place) = headers.get(&name).and_then(|place| place.to_str().ok()) else {
            continue;
        };
        if let Some(place) = base.before(place)
            && let Ok(place) = HeaderValue::try_from(place)
        {
            headers.insert(name, place);
        }
    }
    if !headers.contains_key(header::SET_COOKIE) {
        return;
    }
    let cookies: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, kept_below(base, cookie));
    }
}

/// A cookie that is sent to nothing beside the base path. Browsers take `__Host-` for the whole host alone; `__Secure-`
/// promises all but that.
fn kept_below(base: &BasePath, cookie: HeaderValue) -> HeaderValue {
    let Ok(text) = cookie.to_str() else {
        return cookie;
    };
    let text = text.replace("; Path=/;", &format!("; Path={base};"));
    let text = match text.strip_prefix("__Host-") {
        Some(rest) => format!("__Secure-{rest}"),
        None => text,
    };
    HeaderValue::try_from(text).unwrap_or(cookie)
}

async fn with_links(base: &BasePath, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let page = match to_bytes(body, PAGE_BYTES_MAX).await {
        Ok(page) => String::from_utf8_lossy(&page).into_owned(),
        Err(error) => return ApiError::internal(error).into_response(),
    };
    let page = LEADING.iter().fold(page, |page, leading| {
        let before = leading.trim_end_matches('/');
        page.replace(leading, &format!("{before}{base}/"))
    });
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(page))
}
