//! Free-form JSON: hidden unless somebody asks for it by name, because it may hold what people said in confidence.

use maud::{Markup, html};
use mcpanel_domain::Payload;
use serde_json::Value;

use super::text;
use crate::limits::{PAYLOAD_SHOWN_BYTES_MAX, SHAPE_FIELDS_MAX};

/// What a payload is made of, without anything of what it says.
pub fn shape(payload: &Payload) -> Markup {
    let size = text::bytes(payload.size_bytes() as u64);
    let Ok(Value::Object(fields)) = payload.read::<Value>() else {
        return html! { p.muted { (size) ", hidden" } };
    };
    if fields.is_empty() {
        return html! { p.muted { "empty" } };
    }
    let more = fields.len().saturating_sub(SHAPE_FIELDS_MAX);
    html! {
        dl.shape {
            @for (name, value) in fields.iter().take(SHAPE_FIELDS_MAX) {
                div { dt { code { (text::short(name, 64)) } } dd { (kind(value)) } }
            }
        }
        @if more > 0 { p.muted { "and " (text::counted(more as u64, "field")) " more" } }
        p.muted { (size) ", values hidden" }
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "yes or no".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) => format!(
            "text, {}",
            text::counted(text.chars().count() as u64, "character")
        ),
        Value::Array(items) => format!("list, {}", text::counted(items.len() as u64, "item")),
        Value::Object(fields) => format!("object, {}", text::counted(fields.len() as u64, "field")),
    }
}

/// The payload itself, indented.
pub fn whole(payload: &Payload, label: &str) -> Markup {
    if payload.size_bytes() > PAYLOAD_SHOWN_BYTES_MAX {
        return html! {
            p.muted { (text::bytes(payload.size_bytes() as u64)) ": too large to show here; the API and the command line give it whole" }
        };
    }
    let indented = payload
        .read::<Value>()
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| payload.as_str().to_owned());
    html! { pre.json tabindex="0" aria-label=(label) { (indented) } }
}
