//! API keys: made, shown once, revoked.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mcpanel_control::NewKey;
use mcpanel_domain::{KeyId, Timestamp, key::ApiKey};
use mcpanel_guard::{ApiKeySecret, KeyRole, Permission, Permissions};

use super::tabs;
use crate::{
    Dashboard,
    error::{Failure, Result},
    form::{CSRF, Form, outcome},
    pages::people::People,
    session::Viewer,
    ui::{
        icon::Icon,
        layout::{self, Page, Section},
        parts::{self, Action},
        status, text,
    },
};

/// Days that a key can live: word and number.
const LIVES: [(&str, u64); 4] = [
    ("30 days", 30),
    ("90 days", 90),
    ("a year", 365),
    ("until it is revoked", 0),
];

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3_600_000;

/// Lists the keys.
pub async fn keys(State(dashboard): State<Dashboard>, viewer: Viewer) -> Result<Markup> {
    page(&dashboard, &viewer, None, None).await
}

async fn page(
    dashboard: &Dashboard,
    viewer: &Viewer,
    secret: Option<(&ApiKey, &str)>,
    fault: Option<&str>,
) -> Result<Markup> {
    let keys = dashboard.control.catalog.keys(&viewer.scope).await?;
    let people = People::of(&keys);
    Ok(layout::page(
        viewer,
        &Page {
            title: "API keys",
            section: Section::Settings,
            follows: None,
            body: html! {
                div.page-head { h1 { "API keys" } }
                (tabs(viewer, "/settings/keys"))
                @if let Some((key, secret)) = secret {
                    section.card.secret aria-labelledby="secret" role="status" {
                        h2 #secret { (Icon::Completed.draw()) "Key “" (key.name) "” is made" }
                        p { "Copy it now: it is shown this once and kept only as a hash." }
                        p { (parts::id(secret)) }
                    }
                }
                @if let Some(fault) = fault { p.flash.t-bad role="alert" { (fault) } }
                (list(viewer, &keys, &people))
                (form(viewer))
            },
        },
    ))
}

fn list(viewer: &Viewer, keys: &[std::sync::Arc<ApiKey>], people: &People) -> Markup {
    html! {
        @if keys.is_empty() {
            (parts::empty("No key but the administrator's", html! { "Give each program and each person a key of its own, with no more than it needs." }))
        } @else {
            div.scroll tabindex="0" role="region" aria-label="API keys" { table data-rows {
                thead { tr { th scope="col" { "State" } th scope="col" { "Name" } th scope="col" { "Begins with" } th scope="col" { "May" } th scope="col" { "Made" } th scope="col" { "Ends" } th { span.visually-hidden { "Actions" } } } }
                tbody { @for key in keys { (row(viewer, key, people)) } }
            } }
        }
    }
}

fn row(viewer: &Viewer, key: &ApiKey, people: &People) -> Markup {
    let works = key.is_valid_at(viewer.now);
    html! {
        tr {
            td { @if key.revoked_at.is_some() { (status::badge("t-off", Icon::Cancelled, "revoked")) }
                @else if works { (status::badge("t-good", Icon::Completed, "works")) }
                @else { (status::badge("t-warn", Icon::Clock, "ran out")) } }
            td { (text::short(&key.name, 60)) div.under { (text::middle(key.id.as_str())) } }
            td { code { (key.hint) "…" } }
            td { details { summary { (text::counted(key.permissions.len() as u64, "permission")) } span.chips { @for word in &key.permissions { span.chip { (word) } } } } }
            td { (parts::age(key.created_at, viewer.now)) div.under { "by " (people.draw(&key.created_by)) } }
            td { @if let Some(end) = key.expires_at { (parts::time(end)) } @else { (parts::none("does not run out")) } }
            td.actions { @if works {
                (Action { path: format!("/settings/keys/{}/revoke", key.id), word: "Revoke", class: "small danger", ask: Some(format!("Revoke the key “{}”? What uses it stops working at once.", text::short(&key.name, 40))), fields: &[] }.draw(viewer))
            } }
        }
    }
}

fn form(viewer: &Viewer) -> Markup {
    html! {
        section.card aria-labelledby="new-key" {
            h2 #new-key { "New key" }
            form.stacked method="post" action="/settings/keys" {
                input type="hidden" name=(CSRF) value=(viewer.csrf);
                label.field { span { "Name" } input type="text" name="name" required maxlength="200" autocomplete="off" placeholder="what or who it is for"; }
                fieldset.roles { legend { "Role" }
                    @for (role, what) in [
                        ("read-only", "sees everything; what it reveals is recorded"),
                        ("operator", "also starts, cancels and retries"),
                        ("agent", "signs on and does work"),
                        ("admin", "may everything, giving access too"),
                        ("custom", "exactly what is ticked below"),
                    ] { label.choice { input type="radio" name="role" value=(role) checked[role == "read-only"]; span { strong { (role) } span.choice-text { (what) } } } }
                }
                details { summary { "Permissions of a custom key" }
                    div.permissions { @for permission in Permission::ALL {
                        @if viewer.may(*permission) { label.check { input type="checkbox" name="permission" value=(permission.as_str()); code { (permission.as_str()) } } }
                    } }
                }
                label.field { span { "Works for" } select name="days" { @for (word, days) in LIVES { option value=(days) selected[days == 90] { (word) } } } }
                div.actions { button.button.primary type="submit" { "Make the key" } }
            }
        }
    }
}

/// Makes a key. Nobody gives what they do not have.
pub async fn create_key(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    form: Form,
) -> Result<Response> {
    let refused = |why: String| async {
        let why = why;
        let page = page(&dashboard, &viewer, None, Some(&why)).await?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let role = form.text("role").unwrap_or("custom");
    let permissions = if role == "custom" {
        match Permissions::parse(form.all("permission")) {
            Ok(permissions) => permissions,
            Err(_) => return refused("There is no such permission.".to_owned()).await,
        }
    } else {
        KeyRole::parse(role).map_or(Permissions::NONE, KeyRole::permissions)
    };
    if permissions.is_empty() {
        return refused("A key needs at least one permission.".to_owned()).await;
    }
    let missing = permissions.without(viewer.principal.permissions);
    if !missing.is_empty() {
        let words = missing.words().join(", ");
        return refused(format!("You cannot give what you do not have: {words}.")).await;
    }
    let days: u64 = match form.text("days").unwrap_or("0").parse() {
        Ok(days) if LIVES.iter().any(|(_, offered)| *offered == days) => days,
        _ => return Err(Failure::bad_request("`days` must be one of those offered")),
    };
    let secret = ApiKeySecret::of(random_bytes(&dashboard));
    let new = NewKey {
        name: form.text("name").unwrap_or_default().to_owned(),
        sha256: *secret.digest().as_bytes(),
        hint: secret.hint().to_owned(),
        permissions: permissions.words(),
        namespace: viewer.principal.namespace.clone(),
        expires_at: (days > 0).then(|| end(viewer.now, days)),
    };
    match dashboard
        .control
        .catalog
        .create_key(&viewer.scope, new, None)
        .await
    {
        Ok(made) => {
            let shown = Some((&*made.value, secret.reveal()));
            Ok(page(&dashboard, &viewer, shown, None)
                .await?
                .into_response())
        }
        Err(error) => {
            let failure = Failure::from(error);
            if failure.status.is_server_error() {
                return Err(failure);
            }
            refused(failure.detail.into_owned()).await
        }
    }
}

fn end(now: Timestamp, days: u64) -> Timestamp {
    now.plus_ms(days * DAY_MS)
}

fn random_bytes(dashboard: &Dashboard) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (one, other) = bytes.split_at_mut(16);
    one.copy_from_slice(&dashboard.host.random().to_be_bytes());
    other.copy_from_slice(&dashboard.host.random().to_be_bytes());
    bytes
}

/// Makes a key stop working.
pub async fn revoke_key(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    Path(id): Path<String>,
    _: Form,
) -> Result<Response> {
    let id = KeyId::parse(&id).map_err(|_| Failure::not_found("key", &id))?;
    let revoked = dashboard
        .control
        .catalog
        .revoke_key(&viewer.scope, &id)
        .await;
    outcome("/settings/keys", revoked, |key| {
        format!("The key “{}” is revoked.", text::short(&key.name, 60))
    })
}
