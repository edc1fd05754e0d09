//! Events, as blocks of the log hold them.

use std::borrow::Cow;

use mcpanel_domain::event::{Event, Kind};

use super::fields::{Fields, Reader, Unreadable};

/// One event.
pub fn encode(event: &Event) -> Fields {
    let mut fields = Fields::new();
    fields.put("kind", event.kind.as_str());
    fields.put_date("at", event.at);
    fields.put("namespace", event.namespace.as_str());
    fields.put_opt("task_id", event.task_id.as_ref().map(|id| id.as_str()));
    fields.put_opt("agent_id", event.agent_id.as_ref().map(|id| id.as_str()));
    fields.put_opt(
        "pipeline_id",
        event.pipeline_id.as_ref().map(|id| id.as_str()),
    );
    fields.put_opt("stage", event.stage.map(i32::from));
    fields.put_opt("status", event.status.as_deref());
    fields.put_opt("progress", event.progress);
    fields.put_opt("message", event.message.as_deref());
    fields.put_opt("subject", event.subject.as_deref());
    fields.put_opt("by", event.by.as_deref());
    fields
}

/// Reads one event.
pub fn decode(reader: &Reader<'_>) -> Result<Event, Unreadable> {
    let text = |name: &str| reader.text_opt(name).map(|found| found.map(str::to_owned));
    let progress = match reader.get("progress") {
        Some(_) => Some(reader.float("progress")?),
        None => None,
    };
    Ok(Event {
        kind: reader.word("kind", kind)?,
        at: reader.date("at")?,
        namespace: reader.parsed("namespace")?,
        task_id: reader.parsed_opt("task_id")?,
        agent_id: reader.parsed_opt("agent_id")?,
        pipeline_id: reader.parsed_opt("pipeline_id")?,
        stage: reader.int_opt("stage")?,
        status: text("status")?.map(Cow::Owned),
        progress,
        message: text("message")?,
        subject: text("subject")?,
        by: text("by")?.map(Into::into),
    })
}

fn kind(word: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.as_str() == word)
}
