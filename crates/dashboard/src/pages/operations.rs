//! Bulk operations, and the history that the store keeps.

use axum::extract::State;
use maud::{Markup, html};

use crate::{
    Dashboard,
    error::Result,
    session::Viewer,
    ui::{
        layout::{self, Page, Section},
        parts,
    },
};

/// Shows the operations.
pub async fn list(State(_): State<Dashboard>, viewer: Viewer) -> Result<Markup> {
    Ok(layout::page(
        &viewer,
        &Page {
            title: "Operations",
            section: Section::Operations,
            follows: Some("topic=operations".to_owned()),
            body: html! {
                div.page-head { h1 { "Operations" } }
                (parts::empty("No operation yet", html! { "Filter " a href="/tasks" { "tasks" } "." }))
            },
        },
    ))
}

/// Throughput over time.
pub async fn history(_: &Dashboard, _: &Viewer) -> Result<Markup> {
    Ok(html! {})
}
