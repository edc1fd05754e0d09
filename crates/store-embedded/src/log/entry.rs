//! One commit, as bytes in a frame.
//!
//! ```text
//! u32 length of what follows
//! u32 number of writes, then each: a tag and its fields
//! u32 number of events, then each in its stored form
//! ```
//! Byte strings have a u32 length before them; an absent one has the length `u32::MAX`.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, ArtifactId, Namespace, OperationId, Payload, TaskId, Timestamp, log::Line,
};
use mcpanel_store::{Commit, IdempotencyRecord, Write};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::event::append_event;
use crate::codec;

const ABSENT: u32 = u32::MAX;

/// A commit read back from the log, or on its way into it.
#[derive(Debug)]
pub struct Entry {
    /// The documents.
    pub writes: Vec<Write>,
    /// How many events it has.
    pub event_count: u32,
    /// Its events, one after the other.
    pub events: Vec<u8>,
}

/// Appends a commit; answers where in `into` its events begin.
pub fn append_entry(commit: &Commit, into: &mut Vec<u8>) -> usize {
    let start = into.len();
    put_u32(0, into);
    put_u32(count(commit.writes.len()), into);
    for write in &commit.writes {
        put_write(write, into);
    }
    put_u32(count(commit.events.len()), into);
    let events_at = into.len();
    for event in &commit.events {
        append_event(event, into);
    }
    let length = count(into.len() - start - 4);
    into[start..start + 4].copy_from_slice(&length.to_le_bytes());
    events_at
}

/// The commits of a frame; `None` when the bytes are not what [`append_entry`] wrote.
pub fn read_entries(body: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut rest = Reader(body);
    while !rest.0.is_empty() {
        let mut entry = Reader(rest.bytes()?);
        let writes = (0..entry.u32()?)
            .map(|_| read_write(&mut entry))
            .collect::<Option<Vec<Write>>>()?;
        let event_count = entry.u32()?;
        entries.push(Entry {
            writes,
            event_count,
            events: entry.0.to_vec(),
        });
    }
    Some(entries)
}

/// [`IdempotencyRecord`] in its stored form.
#[derive(Serialize, Deserialize)]
pub struct StoredIdempotency {
    namespace: Namespace,
    key: String,
    fingerprint: [u8; 32],
    outcome: Payload,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<&IdempotencyRecord> for StoredIdempotency {
    fn from(record: &IdempotencyRecord) -> Self {
        Self {
            namespace: record.namespace.clone(),
            key: record.key.clone(),
            fingerprint: record.fingerprint,
            outcome: record.outcome.clone(),
            created_at: record.created_at,
            expires_at: record.expires_at,
        }
    }
}

impl From<StoredIdempotency> for IdempotencyRecord {
    fn from(stored: StoredIdempotency) -> Self {
        Self {
            namespace: stored.namespace,
            key: stored.key,
            fingerprint: stored.fingerprint,
            outcome: stored.outcome,
            created_at: stored.created_at,
            expires_at: stored.expires_at,
        }
    }
}

const TASK: u8 = 1;
const AGENT: u8 = 2;
const DELETE_AGENT: u8 = 3;
const PIPELINE: u8 = 4;
const TEMPLATE: u8 = 5;
const ARTIFACT: u8 = 6;
const DELETE_ARTIFACT: u8 = 7;
const KEY: u8 = 8;
const IDEMPOTENCY: u8 = 9;
const LOGS: u8 = 10;
const OPERATION: u8 = 11;
const SAMPLE: u8 = 12;
const DELETE_OPERATION: u8 = 13;

fn put_write(write: &Write, into: &mut Vec<u8>) {
    match write {
        Write::Task {
            task,
            parameters,
            result,
        } => {
            into.push(TASK);
            put_document(&**task, into);
            put_payload(parameters.as_ref(), into);
            put_payload(result.as_ref(), into);
        }
        Write::Agent(agent) => {
            into.push(AGENT);
            put_document(&**agent, into);
        }
        Write::DeleteAgent {
            namespace,
            id,
            revision,
        } => {
            into.push(DELETE_AGENT);
            put_document(&(namespace, id, revision), into);
        }
        Write::Pipeline(pipeline) => {
            into.push(PIPELINE);
            put_document(&**pipeline, into);
        }
        Write::Template(template) => {
            into.push(TEMPLATE);
            put_document(&**template, into);
        }
        Write::Artifact(artifact) => {
            into.push(ARTIFACT);
            put_document(&**artifact, into);
        }
        Write::DeleteArtifact {
            namespace,
            id,
            revision,
        } => {
            into.push(DELETE_ARTIFACT);
            put_document(&(namespace, id, revision), into);
        }
        Write::Key(key) => {
            into.push(KEY);
            put_document(&**key, into);
        }
        Write::Idempotency(record) => {
            into.push(IDEMPOTENCY);
            put_document(&StoredIdempotency::from(record), into);
        }
        Write::Logs {
            namespace,
            task_id,
            lines,
        } => {
            into.push(LOGS);
            put_document(&(namespace, task_id, lines), into);
        }
        Write::Operation(operation) => {
            into.push(OPERATION);
            put_document(&**operation, into);
        }
        Write::DeleteOperation {
            namespace,
            id,
            revision,
        } => {
            into.push(DELETE_OPERATION);
            put_document(&(namespace, id, revision), into);
        }
        Write::Sample(sample) => {
            into.push(SAMPLE);
            put_document(&**sample, into);
        }
    }
}

fn read_write(from: &mut Reader<'_>) -> Option<Write> {
    Some(match from.u8()? {
        TASK => Write::Task {
            task: Arc::new(from.document()?),
            parameters: from.payload()?,
            result: from.payload()?,
        },
        AGENT => Write::Agent(Arc::new(from.document()?)),
        DELETE_AGENT => {
            let (namespace, id, revision): (Namespace, AgentId, u64) = from.document()?;
            Write::DeleteAgent {
                namespace,
                id,
                revision,
            }
        }
        PIPELINE => Write::Pipeline(Arc::new(from.document()?)),
        TEMPLATE => Write::Template(Arc::new(from.document()?)),
        ARTIFACT => Write::Artifact(Arc::new(from.document()?)),
        DELETE_ARTIFACT => {
            let (namespace, id, revision): (Namespace, ArtifactId, u64) = from.document()?;
            Write::DeleteArtifact {
                namespace,
                id,
                revision,
            }
        }
        KEY => Write::Key(Arc::new(from.document()?)),
        IDEMPOTENCY => Write::Idempotency(from.document::<StoredIdempotency>()?.into()),
        LOGS => {
            let (namespace, task_id, lines): (Namespace, TaskId, Vec<Line>) = from.document()?;
            Write::Logs {
                namespace,
                task_id,
                lines,
            }
        }
        OPERATION => Write::Operation(Arc::new(from.document()?)),
        DELETE_OPERATION => {
            let (namespace, id, revision): (Namespace, OperationId, u64) = from.document()?;
            Write::DeleteOperation {
                namespace,
                id,
                revision,
            }
        }
        SAMPLE => Write::Sample(Arc::new(from.document()?)),
        _ => return None,
    })
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("the queue's bound in bytes is far below 4 GiB")
}

fn put_u32(figure: u32, into: &mut Vec<u8>) {
    into.extend_from_slice(&figure.to_le_bytes());
}

fn put_document<T: Serialize + ?Sized>(document: &T, into: &mut Vec<u8>) {
    let at = into.len();
    put_u32(0, into);
    codec::append(document, into);
    let length = count(into.len() - at - 4);
    into[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

fn put_payload(payload: Option<&Payload>, into: &mut Vec<u8>) {
    match payload {
        Some(payload) => {
            put_u32(count(payload.size_bytes()), into);
            into.extend_from_slice(payload.as_str().as_bytes());
        }
        None => put_u32(ABSENT, into),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn u32(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*word))
    }

    fn take(&mut self, length: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length)
    }

    fn document<T: DeserializeOwned>(&mut self) -> Option<T> {
        codec::read(self.bytes()?).ok()
    }

    #[expect(clippy::option_option, reason = "outer: unreadable; inner: absent")]
    fn payload(&mut self) -> Option<Option<Payload>> {
        let length = self.u32()?;
        if length == ABSENT {
            return Some(None);
        }
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        Some(Some(Payload::from_stored(text)))
    }
}
