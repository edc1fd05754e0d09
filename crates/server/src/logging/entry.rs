//! One line in the specification's form.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::env::SystemEnv;

/// Writes events as `LogEntry` objects, one on each line.
#[derive(Debug, Clone, Copy)]
pub struct Entries;

#[derive(Serialize)]
struct Entry<'e> {
    timestamp: String,
    level: &'static str,
    component: &'e str,
    message: String,
    context: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

impl<S, N> FormatEvent<S, N> for Entries
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let entry = Entry {
            timestamp: SystemEnv::now().to_string(),
            level: if fields.critical {
                "critical"
            } else {
                level(*event.metadata().level())
            },
            component: component(event.metadata().target()),
            message: fields.message,
            context: fields.context,
            metadata: fields.metadata,
        };
        let line = serde_json::to_string(&entry).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

/// The specification's word; it has none below `debug`.
fn level(level: Level) -> &'static str {
    match level {
        Level::TRACE | Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

/// The crate that speaks, without the prefix that all of ours share.
fn component(target: &str) -> &str {
    let name = target.split("::").next().unwrap_or(target);
    name.strip_prefix("mcpanel_").unwrap_or(name)
}

/// The fields of an event, put where the specification wants them.
#[derive(Default)]
struct Fields {
    message: String,
    critical: bool,
    context: Map<String, Value>,
    metadata: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let context = match field.name() {
            "request.id" => "requestId",
            "agent.id" => "agentId",
            "task.id" => "taskId",
            "pipeline.id" => "pipelineId",
            "user.id" => "userId",
            other => {
                self.metadata.insert(other.to_owned(), value);
                return;
            }
        };
        self.context.insert(context.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "critical" {
            self.critical = value;
        } else {
            self.put(field, value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text.into());
        }
    }
}
