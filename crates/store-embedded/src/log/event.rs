//! Events in their stored form, one after the other.
//!
//! An event begins with its kind, which takes one byte below [`MARK`]. One that begins with the mark has who caused it
//! too: those that were written before events told have not, and stay readable.

use std::{borrow::Cow, sync::Arc};

use mcpanel_domain::{
    AgentId, Namespace, PipelineId, TaskId, Timestamp,
    event::{Event, Kind},
};
use serde::Deserialize;

use crate::codec;

/// What an event begins with that tells who caused it. The last number of a kind that takes one byte.
const MARK: u8 = 0x7f;

const _: () = assert!(
    Kind::ALL.len() <= MARK as usize,
    "a kind would look like the mark"
);

/// An event as it was written before it told who caused it.
#[derive(Deserialize)]
struct Unsigned {
    kind: Kind,
    at: Timestamp,
    namespace: Namespace,
    task_id: Option<TaskId>,
    agent_id: Option<AgentId>,
    pipeline_id: Option<PipelineId>,
    stage: Option<u16>,
    status: Option<Cow<'static, str>>,
    progress: Option<f64>,
    message: Option<String>,
    subject: Option<String>,
}

impl From<Unsigned> for Event {
    fn from(stored: Unsigned) -> Self {
        Self {
            kind: stored.kind,
            at: stored.at,
            namespace: stored.namespace,
            task_id: stored.task_id,
            agent_id: stored.agent_id,
            pipeline_id: stored.pipeline_id,
            stage: stored.stage,
            status: stored.status,
            progress: stored.progress,
            message: stored.message,
            subject: stored.subject,
            by: None,
        }
    }
}

/// Appends an event.
pub fn append_event(event: &Event, into: &mut Vec<u8>) {
    into.push(MARK);
    codec::append_bare(event, into);
}

/// Reads events that were appended one after the other.
pub fn read_events(mut bytes: &[u8], count: u32) -> Option<Vec<Event>> {
    // Whoever did one thing mostly did the next.
    let mut last: Option<Arc<str>> = None;
    let mut events = Vec::with_capacity(count.min(65_536) as usize);
    for _ in 0..count {
        let mut event: Event;
        (event, bytes) = match bytes.strip_prefix(&[MARK]) {
            Some(rest) => postcard::take_from_bytes(rest).ok()?,
            None => {
                let (stored, rest) = postcard::take_from_bytes::<Unsigned>(bytes).ok()?;
                (stored.into(), rest)
            }
        };
        if last.is_some() && last == event.by {
            event.by.clone_from(&last);
        } else {
            last.clone_from(&event.by);
        }
        events.push(event);
    }
    bytes.is_empty().then_some(events)
}
