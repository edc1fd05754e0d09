//! Settings: who has access, and what pipelines are made of.

mod keys;
mod templates;

use axum::response::Redirect;
use maud::{Markup, html};
use mcpanel_guard::Permission;

pub use keys::{create_key, keys, revoke_key};
pub use templates::{store_template, template, templates};

use crate::session::Viewer;

/// The first of the settings that this person may see.
pub async fn home(viewer: Viewer) -> Redirect {
    Redirect::to(if viewer.may(Permission::KeyManage) {
        "/settings/keys"
    } else {
        "/settings/templates"
    })
}

/// The tabs above the settings.
fn tabs(viewer: &Viewer, now: &str) -> Markup {
    let tab = |path: &'static str, word: &str| {
        html! { a href=(path) aria-current=[(now == path).then_some("true")] { (word) } }
    };
    html! {
        nav.views aria-label="Settings" {
            @if viewer.may(Permission::KeyManage) { (tab("/settings/keys", "API keys")) }
            @if viewer.may(Permission::PipelineRead) { (tab("/settings/templates", "Templates")) }
        }
    }
}
