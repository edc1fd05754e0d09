//! The one place where pages are guarded: who is let in, and what every answer carries.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use mcpanel_guard::Permission;

use crate::{
    Dashboard, Person,
    error::Failure,
    session::{self, FLASH, Theme, Viewer, set_cookie},
    ui::{layout, list::Query},
};

/// What pages may load: what comes from here, and nothing written into the page itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'",
);

/// The header that names a request, in answers and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What marks an answer as a page of ours, so that whoever stands before the dashboard can tell it from a file that somebody
/// stored. Its links begin with a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page;

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
    let around = Around::of(&gate.dashboard, request.headers());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !is_from_here(request.headers()) {
        let failure = Failure::new(
            StatusCode::FORBIDDEN,
            "this form was sent by another site; nothing was changed",
        );
        return around.finish(failure.into_response(), None);
    }
    if gate.access == Access::Public {
        return around.finish(next.run(request).await, None);
    }
    match let_in(&gate, request).await {
        Ok((viewer, request)) => around.finish(next.run(request).await, Some(&viewer)),
        Err(Stop::SignIn(response)) => around.finish(response, None),
        Err(Stop::Forbidden(viewer, failure)) => {
            around.finish(failure.into_response(), Some(&viewer))
        }
        Err(Stop::Failed(failure)) => around.finish(failure.into_response(), None),
    }
}

/// Makes a page of a problem that nobody else made one of: a path that there is not, a method that is not possible, a handler
/// that broke. Only for browsers, and never below the paths of the API, whose problems are for programs.
pub async fn dress(State(dashboard): State<Dashboard>, request: Request, next: Next) -> Response {
    /// Where programs ask.
    const PROGRAMS: [&str; 5] = ["/api", "/health", "/metrics", "/openapi.json", "/live"];
    let path = request.uri().path();
    let is_of = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if !wants_page(request.headers()) || PROGRAMS.iter().any(|root| is_of(root)) {
        return next.run(request).await;
    }
    let around = Around::of(&dashboard, request.headers());
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    if !is_problem(&response) {
        return response;
    }
    let failure = match response.status() {
        StatusCode::NOT_FOUND => {
            let path = crate::ui::text::short(asked.uri.path(), 120);
            Failure::new(StatusCode::NOT_FOUND, format!("there is no page `{path}`"))
        }
        status if status.is_server_error() => Failure::new(status, Failure::OURS),
        status => Failure::new(status, "this cannot be done here"),
    };
    let viewer = match session::session(&asked.headers) {
        Some(session) => match dashboard.host.identify(&session).await {
            Ok(person) => Some(viewer(&dashboard, person, &session, &asked)),
            Err(_) => None,
        },
        None => None,
    };
    let (mut parts, body) = response.into_parts();
    parts.extensions.insert(failure);
    around.finish(Response::from_parts(parts, body), viewer.as_ref())
}

/// Whether a browser asks for a page, and no script for a part of one.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepts.contains("text/html") && !headers.contains_key("hx-request")
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

fn viewer(dashboard: &Dashboard, person: Person, session: &str, parts: &Parts) -> Viewer {
    let environment = dashboard.environment.clone();
    Viewer::new(
        person,
        session,
        parts,
        dashboard.control.now(),
        *dashboard.control.events.watch().borrow(),
        environment,
    )
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
    let person = match gate.dashboard.host.identify(&session).await {
        Ok(person) => person,
        Err(crate::Refusal::Credential(_)) => return Err(Stop::SignIn(sign_in(&request))),
        Err(refusal) => return Err(Stop::Failed(refusal.into())),
    };
    let (mut parts, body) = request.into_parts();
    let viewer = viewer(&gate.dashboard, person, &session, &parts);
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
    // Without what only a list remembers of itself: it would come back as it was, not as it is.
    let query = Query::read(request.uri().query()).without(&["from_row", "to"]);
    let here = query.on(request.uri().path());
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

/// What the answer to a request needs of the request.
struct Around {
    dashboard: Dashboard,
    theme: Theme,
    is_script: bool,
}

impl Around {
    fn of(dashboard: &Dashboard, headers: &HeaderMap) -> Self {
        Self {
            dashboard: dashboard.clone(),
            theme: Theme::of(headers),
            is_script: headers.contains_key("hx-request"),
        }
    }

    /// What every answer carries; a failure becomes a page, or plain words for a script.
    fn finish(&self, mut response: Response, viewer: Option<&Viewer>) -> Response {
        if let Some(failure) = response.extensions_mut().remove::<Failure>() {
            response = self.page_of(&failure, viewer, response.headers());
        }
        let is_page = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        // Files that are shown bring a policy of their own.
        let is_ours = !response
            .headers()
            .contains_key(header::CONTENT_SECURITY_POLICY);
        if is_page && is_ours {
            response.extensions_mut().insert(Page);
        }
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

    /// The page of a failure, with those headers of its first answer that stay true.
    fn page_of(&self, failure: &Failure, viewer: Option<&Viewer>, first: &HeaderMap) -> Response {
        let mut response = if self.is_script {
            (failure.status, failure.detail.clone().into_owned()).into_response()
        } else {
            let named = first.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
            let request = named
                .map(str::to_owned)
                .or_else(|| self.dashboard.host.request_id());
            let environment = self.dashboard.environment.as_deref();
            let page =
                layout::failure(failure, viewer, self.theme, environment, request.as_deref());
            (failure.status, page).into_response()
        };
        for name in [header::SET_COOKIE, header::ALLOW, REQUEST_ID] {
            for value in first.get_all(&name) {
                response.headers_mut().append(&name, value.clone());
            }
        }
        response
    }
}

impl IntoResponse for Failure {
    /// Plain words; the guard makes a page of them.
    fn into_response(self) -> Response {
        let mut response = (self.status, self.detail.clone().into_owned()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
