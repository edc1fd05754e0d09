//! How the server is, before anything else: words first, then a row for each part that it stands on.

use std::time::Instant;

use maud::{Markup, html};
use mcpanel_domain::agent::Status as AgentStatus;
use mcpanel_store::query::Health;

use super::Picture;
use crate::{
    Dashboard, PartHealth,
    session::Viewer,
    ui::{icon::Icon, parts, status, text},
};

/// How each part is.
pub struct Parts {
    store: Health,
    /// How long the store took to answer, in microseconds.
    store_us: u64,
    others: Vec<PartHealth>,
}

/// Looks at every part.
pub async fn look(dashboard: &Dashboard) -> Parts {
    let began = Instant::now();
    let store = dashboard.control.store().health().await;
    let store_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    Parts {
        store,
        store_us,
        others: dashboard.host.parts().await,
    }
}

/// The strip above everything else.
pub fn strip(dashboard: &Dashboard, viewer: &Viewer, picture: &Picture) -> Markup {
    let about = dashboard.host.about();
    let (tone, icon, words) = verdict(picture);
    let agents = picture.agents.as_deref().unwrap_or_default();
    let oldest = agents
        .iter()
        .filter(|view| view.status != AgentStatus::Inactive)
        .map(|view| view.agent.session.last_heartbeat)
        .min();
    let Parts {
        store,
        store_us,
        others,
    } = &picture.health;
    html! {
        section class={ "health " (tone) } aria-label="Health" {
            div.health-head {
                p.health-word { (icon.draw()) (words) }
                dl.health-facts {
                    div { dt { "Oldest heartbeat" } dd { @if let Some(at) = oldest { (parts::age(at, viewer.now)) } @else { (parts::none("no agent is heard")) } } }
                    div { dt { "Waiting for work" } dd { (text::counted(about.claims_waiting, "agent call")) } }
                    @if let Some(bytes) = about.resident_bytes { div { dt { "Memory" } dd { (text::bytes(bytes)) } } }
                }
            }
            ul.parts aria-label="Parts" {
                (row(true, "This instance", &html! { "version " (about.version) }, &html! { "up for " (parts::since(about.started_at, viewer.now)) }))
                (row(store.read_only.is_none(), store_name(store.engine), &store_says(store), &answered(Some(*store_us))))
                @for part in others {
                    @let age = html! { @match part.heard_ms {
                        Some(ms) => { "heard " (text::ago(ms)) },
                        None => { (answered(part.answered_us)) },
                    } };
                    (row(part.well, &part.name, &html! { (part.says) }, &age))
                }
            }
        }
    }
}

/// The worst that there is to say, in a few words.
fn verdict(picture: &Picture) -> (&'static str, Icon, String) {
    let agents = picture.agents.as_deref().unwrap_or_default();
    let silent = agents
        .iter()
        .filter(|view| matches!(view.status, AgentStatus::Suspect | AgentStatus::Inactive))
        .count();
    let nobody_works = !agents.is_empty() && silent == agents.len() && picture.totals.ready > 0;
    let warning = |words: String| ("t-warn", Icon::Suspect, words);
    if let Some(reason) = &picture.health.store.read_only {
        let words = format!("The store takes no changes: {reason}");
        return ("t-bad", Icon::Failed, words);
    }
    if let Some(part) = picture.health.others.iter().find(|part| !part.well) {
        return warning(format!("{}: {}", part.name, part.says));
    }
    if nobody_works {
        return warning("Tasks wait and no agent is heard".to_owned());
    }
    match silent {
        0 => ("t-good", Icon::Completed, "All is well".to_owned()),
        _ => warning(format!(
            "{} not heard",
            text::counted(silent as u64, "agent")
        )),
    }
}

fn row(well: bool, name: &str, says: &Markup, age: &Markup) -> Markup {
    let state = match well {
        true => status::badge("t-good", Icon::Completed, "well"),
        false => status::badge("t-warn", Icon::Suspect, "not well"),
    };
    html! { li { (state) span.part-name { (name) } span.part-says { (says) } span.part-age { (age) } } }
}

fn store_name(engine: &str) -> &str {
    match engine {
        "mongodb" => "MongoDB",
        "embedded" => "Store of this server",
        other => other,
    }
}

fn store_says(store: &Health) -> Markup {
    html! {
        @match &store.read_only {
            Some(_) => { "takes no changes" },
            None => { "takes changes" },
        }
        @if let Some(size) = store.size_bytes { ", " (text::bytes(size)) }
    }
}

fn answered(us: Option<u64>) -> Markup {
    html! { @if let Some(us) = us { @match us {
        0..1_000 => { "answered in " (us) " µs" },
        _ => { "answered in " (text::duration(us / 1_000)) },
    } } }
}
