//! Signing in with an API key or a token, and out again.

use axum::{
    extract::{RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use crate::{
    Dashboard, Refusal,
    error::{Failure, Result},
    form::{CSRF, Form, fields, is_ours},
    limits::SESSION_MS,
    session::{
        self, SESSION, SESSION_BELOW, SESSION_SECURE, SIGN_IN, Theme, cookie, csrf_of, is_secure,
        same, set_cookie,
    },
    ui::{
        layout::{badge, frame},
        list::Query,
    },
};

/// What every API key begins with; anything else may be a token.
const KEY_PREFIX: &str = "mcp_";

/// How long a sign-in form can lie open, in seconds: an hour.
const FORM_S: u64 = 3_600;

/// Shows the form. It is tied to this browser by a cookie, so that nobody can sign others in as themselves.
pub async fn show(
    State(dashboard): State<Dashboard>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = Query::read(query.as_deref());
    let next = query.text("next").filter(|path| is_ours(path));
    form(
        &dashboard,
        &headers,
        next.unwrap_or("/"),
        None,
        StatusCode::OK,
    )
}

fn form(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    next: &str,
    fault: Option<&str>,
    status: StatusCode,
) -> Response {
    let nonce = format!("{:032x}", dashboard.host.random());
    let page = frame(
        "Sign in",
        Theme::of(headers),
        dashboard.environment.as_deref(),
        &body(next, &csrf_of(&nonce), fault, dashboard),
    );
    let keep = set_cookie(SIGN_IN, &nonce, Some(FORM_S), is_secure(headers), true);
    (status, [(header::SET_COOKIE, keep)], page).into_response()
}

fn body(next: &str, token: &str, fault: Option<&str>, dashboard: &Dashboard) -> Markup {
    html! {
        main #main.alone {
            div.card.sign-in {
                div.top {
                    p.brand { span.mark aria-hidden="true" {} "mcpanel" }
                    @if let Some(environment) = dashboard.environment.as_deref() { (badge(environment)) }
                }
                h1 { "Sign in" }
                @if let Some(fault) = fault {
                    p.flash.t-bad #fault role="alert" { (fault) }
                }
                form method="post" action="/sign-in" {
                    input type="hidden" name=(CSRF) value=(token);
                    input type="hidden" name="next" value=(next);
                    label for="credential" { "API key or token" }
                    input #credential name="credential" type="password" autocomplete="current-password" required
                        autofocus spellcheck="false" aria-describedby="credential-hint" aria-invalid=[fault.map(|_| "true")];
                    p #credential-hint.hint {
                        "A key begins with " code { "mcp_" } ". The administrator's is in the file " code { "admin.key" }
                        " of the server's data directory; "
                        code { "mcpanel keys create" } " makes others."
                    }
                    button.button.primary type="submit" { "Sign in" }
                }
            }
        }
    }
}

/// Checks the credential and opens a session.
pub async fn enter(State(dashboard): State<Dashboard>, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let fields = fields(body).await?;
    let field = |name: &str| fields.text(name).unwrap_or_default();
    let next = Some(field("next"))
        .filter(|path| is_ours(path))
        .unwrap_or("/");
    let refused = |why: &str, status| form(&dashboard, &headers, next, Some(why), status);
    let expected = cookie(&headers, SIGN_IN).map(|nonce| csrf_of(&nonce));
    if !expected.is_some_and(|expected| same(&expected, field(CSRF))) {
        let why = "The form was open for too long. Please try again.";
        return Ok(refused(why, StatusCode::FORBIDDEN));
    }
    let credential = field("credential");
    let principal = match dashboard.host.identify(credential).await {
        Ok(person) if person.principal.agent().is_some() => {
            let why = "This token is an agent's. Sign in with an API key, or with a token that one bought.";
            return Ok(refused(why, StatusCode::FORBIDDEN));
        }
        Ok(person) => person.principal,
        Err(Refusal::Credential(why)) => {
            let why = format!(
                "That did not work: {why}. Look whether all of it was copied, whether it is of this server, and whether it \
                 is still valid: keys can be revoked, and both end in time."
            );
            return Ok(refused(&why, StatusCode::UNAUTHORIZED));
        }
        Err(other) => return Err(Failure::from(other)),
    };
    // A token is its own session, so that signing in does not lengthen its life.
    let is_token = !credential.starts_with(KEY_PREFIX) && credential.matches('.').count() == 2;
    let session = if is_token {
        credential.to_owned()
    } else {
        let now = dashboard.control.now();
        let random = dashboard.host.random();
        dashboard
            .host
            .tokens()
            .issue(&principal, SESSION_MS, now, random)
            .0
    };
    let secure = is_secure(&headers);
    let name = if secure { SESSION_SECURE } else { SESSION };
    let mut response = Redirect::to(next).into_response();
    let fields = response.headers_mut();
    fields.append(
        header::SET_COOKIE,
        set_cookie(name, &session, Some(SESSION_MS / 1_000), secure, true),
    );
    fields.append(
        header::SET_COOKIE,
        set_cookie(SIGN_IN, "", Some(0), secure, true),
    );
    Ok(response)
}

/// Ends the session in this browser.
pub async fn leave(headers: HeaderMap, _: Form) -> Response {
    let mut response = Redirect::to("/sign-in").into_response();
    let is_there = |name| session::cookie(&headers, name).is_some();
    let secure = is_there(SESSION_SECURE) || is_there(SESSION_BELOW);
    let name = if secure { SESSION_SECURE } else { SESSION };
    response.headers_mut().append(
        header::SET_COOKIE,
        set_cookie(name, "", Some(0), secure, true),
    );
    response
}
