//! The one place where pages are guarded: who is let in, and what every answer carries.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use mcpanel_guard::Permission;

use crate::{
    Dashboard,
    error::Failure,
    session::{self, FLASH, Theme, Viewer, set_cookie},
    ui::layout,
};

/// What pages may load: what comes from here, and nothing written into the page itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'",
);

/// Who may see a page or take an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Who holds this permission.
    Needs(Permission),
}

/// What stands before one route.
#[derive(Clone)]
pub struct Gate {
    /// The dashboard.
    pub dashboard: Dashboard,
    /// Who may pass.
    pub access: Access,
}

/// Lets a request in, or answers it with the way to sign in or the reason why not.
pub async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let theme = Theme::of(request.headers());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !is_from_here(request.headers()) {
        let failure = Failure::new(
            StatusCode::FORBIDDEN,
            "this form was sent by another site; nothing was changed",
        );
        return finish(failure.into_response(), None, theme);
    }
    if gate.access == Access::Public {
        return finish(next.run(request).await, None, theme);
    }
    match let_in(&gate, request).await {
        Ok((viewer, request)) => finish(next.run(request).await, Some(&viewer), theme),
        Err(Stop::SignIn(response)) => finish(response, None, theme),
        Err(Stop::Forbidden(viewer, failure)) => {
            finish(failure.into_response(), Some(&viewer), theme)
        }
        Err(Stop::Failed(failure)) => finish(failure.into_response(), None, theme),
    }
}

enum Stop {
    SignIn(Response),
    Forbidden(Box<Viewer>, Failure),
    Failed(Failure),
}

async fn let_in(gate: &Gate, request: Request) -> Result<(Box<Viewer>, Request), Stop> {
    let Some(session) = session::session(request.headers()) else {
        return Err(Stop::SignIn(sign_in(&request)));
    };
    let principal = match gate.dashboard.host.identify(&session).await {
        Ok(principal) => principal,
        Err(crate::Refusal::Credential(_)) => return Err(Stop::SignIn(sign_in(&request))),
        Err(refusal) => return Err(Stop::Failed(refusal.into())),
    };
    let (mut parts, body) = request.into_parts();
    let viewer = Viewer::new(principal, &session, &parts, gate.dashboard.control.now());
    if let Access::Needs(permission) = gate.access
        && !viewer.may(permission)
    {
        let failure = Failure::new(
            StatusCode::FORBIDDEN,
            format!("this needs the permission `{permission}`, which your key does not have"),
        );
        return Err(Stop::Forbidden(Box::new(viewer), failure));
    }
    parts.extensions.insert(viewer.clone());
    Ok((Box::new(viewer), Request::from_parts(parts, body)))
}

/// The way to the sign-in form, and back here afterwards.
fn sign_in(request: &Request) -> Response {
    let here = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    // An action is not repeated after signing in: nobody remembers what it was.
    let target = if *request.method() == Method::GET && here != "/" && !here.starts_with("/live") {
        let next: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
        format!("/sign-in?next={next}")
    } else {
        "/sign-in".to_owned()
    };
    let is_script = request.headers().contains_key("hx-request")
        || request
            .headers()
            .get(header::ACCEPT)
            .is_some_and(|accept| accept == "text/event-stream");
    if is_script {
        let redirect =
            HeaderValue::try_from(target).unwrap_or(HeaderValue::from_static("/sign-in"));
        let name = HeaderName::from_static("hx-redirect");
        return (StatusCode::UNAUTHORIZED, [(name, redirect)]).into_response();
    }
    Redirect::to(&target).into_response()
}

/// Whether the browser says that the request began on one of our own pages. Old browsers do not say; the token in the form
/// speaks for them.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority == host),
        _ => true,
    }
}

/// What every answer carries; a failure becomes a page.
fn finish(mut response: Response, viewer: Option<&Viewer>, theme: Theme) -> Response {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let headers = std::mem::take(response.headers_mut());
        response = (failure.status, layout::failure(&failure, viewer, theme)).into_response();
        response.headers_mut().extend(
            headers
                .into_iter()
                .filter(|(name, _)| name.as_ref() == Some(&header::SET_COOKIE)),
        );
    }
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let fields = response.headers_mut();
    fields
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(POLICY);
    fields
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    fields
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    fields
        .entry(header::X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    if is_page && viewer.is_some_and(|viewer| viewer.flash.is_some() && !viewer.partial) {
        fields.append(
            header::SET_COOKIE,
            set_cookie(FLASH, "", Some(0), false, true),
        );
    }
    response
}

impl IntoResponse for Failure {
    /// Plain words; the guard makes a page of them.
    fn into_response(self) -> Response {
        let mut response = (self.status, self.detail.clone().into_owned()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
