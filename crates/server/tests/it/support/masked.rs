//! Bodies for snapshots: what differs from run to run is masked.

use mcpanel_domain::Timestamp;
use serde_json::Value;

/// Prefixes of generated ids.
const PREFIXES: [&str; 7] = ["task_", "agent_", "pipe_", "sess_", "art_", "key_", "req_"];

/// Characters of a generated id after its prefix, at least.
const GENERATED_CHARS: usize = 26;

/// The same body with generated ids, times, leases and tokens masked.
pub fn masked(mut body: Value) -> Value {
    mask(&mut body);
    body
}

fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => {
            // Known on Linux only.
            fields.remove("resident_bytes");
            for (name, field) in fields {
                match (name.as_str(), &*field) {
                    ("lease" | "token" | "api_key" | "hint" | "next_cursor", Value::String(_)) => {
                        *field = format!("[{name}]").into();
                    }
                    ("latency_ms", Value::Number(_)) => {
                        *field = format!("[{name}]").into();
                    }
                    _ => mask(field),
                }
            }
        }
        Value::String(text) => {
            let id = PREFIXES.iter().find(|prefix| {
                text.strip_prefix(**prefix)
                    .is_some_and(|rest| rest.len() >= GENERATED_CHARS && !rest.contains(' '))
            });
            if let Some(prefix) = id {
                *text = format!("[{prefix}…]");
            } else if Timestamp::parse(text).is_ok() {
                "[time]".clone_into(text);
            } else if text == env!("CARGO_PKG_VERSION") {
                "[version]".clone_into(text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
