//! Small documents: artifacts, API keys, the memory of answered requests, log lines.

use mcpanel_domain::{
    Namespace, TaskId,
    artifact::Artifact,
    key::ApiKey,
    log::{Level, Line},
};
use mcpanel_store::IdempotencyRecord;
use mongodb::bson::{Binary, RawDocument, spec::BinarySubtype};

use super::{
    fields::{Fields, Reader, Unreadable, long},
    payload::{self, INLINE_BYTES_MAX, Large, PART_BYTES_MAX, Shelf},
};

/// SHA-256 as BSON has it.
pub fn hash(bytes: &[u8; 32]) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    }
}

fn read_hash(reader: &Reader<'_>, name: &str) -> Result<[u8; 32], Unreadable> {
    let bytes: Result<[u8; 32], _> = reader.bytes(name)?.try_into();
    bytes.map_err(|_| reader.problem(name, "not 32 bytes long"))
}

/// What is known about a file.
pub fn encode_artifact(artifact: &Artifact, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("artifact_id", artifact.id.as_str());
    fields.put("namespace", artifact.namespace.as_str());
    fields.put_u64("revision", artifact.revision);
    fields.put_opt(
        "pipeline_id",
        artifact.pipeline_id.as_ref().map(|id| id.as_str()),
    );
    fields.put_opt("stage", artifact.stage.map(i32::from));
    fields.put_opt("task_id", artifact.task_id.as_ref().map(|id| id.as_str()));
    fields.put_opt("attempt", artifact.attempt.map(i64::from));
    fields.put("index", i64::from(artifact.index));
    fields.put("name", artifact.name.as_str());
    fields.put("role", artifact.role.as_str());
    fields.put("media_type", artifact.media_type.as_str());
    fields.put_u64("size_bytes", artifact.size_bytes);
    fields.put("sha256", artifact.sha256.as_str());
    fields.put_opt("records", artifact.records.map(long));
    payload::put(
        &mut fields,
        "metadata",
        &artifact.metadata,
        PART_BYTES_MAX,
        large,
    );
    fields.put_date("created_at", artifact.created_at);
    fields.put("created_by", artifact.created_by.as_str());
    fields
}

/// Reads what is known about a file.
pub fn decode_artifact(document: &RawDocument, shelf: &Shelf) -> Result<Artifact, Unreadable> {
    let reader = Reader::new(document)?;
    Ok(Artifact {
        id: reader.parsed("artifact_id")?,
        namespace: reader.parsed("namespace")?,
        revision: reader.int("revision")?,
        pipeline_id: reader.parsed_opt("pipeline_id")?,
        stage: reader.int_opt("stage")?,
        task_id: reader.parsed_opt("task_id")?,
        attempt: reader.int_opt("attempt")?,
        index: reader.int("index")?,
        name: reader.text("name")?.to_owned(),
        role: reader.text("role")?.to_owned(),
        media_type: reader.text("media_type")?.to_owned(),
        size_bytes: reader.int("size_bytes")?,
        sha256: reader.text("sha256")?.to_owned(),
        records: reader.int_opt("records")?,
        metadata: payload::need(&reader, "metadata", shelf)?,
        created_at: reader.date("created_at")?,
        created_by: reader.text("created_by")?.to_owned(),
    })
}

/// An API key.
pub fn encode_key(key: &ApiKey) -> Fields {
    let mut fields = Fields::new();
    fields.put("key_id", key.id.as_str());
    fields.put("namespace", key.namespace.as_str());
    fields.put_u64("revision", key.revision);
    fields.put("name", key.name.as_str());
    fields.put("sha256", hash(&key.sha256));
    fields.put("hint", key.hint.as_str());
    fields.put_texts("permissions", key.permissions.iter().map(String::as_str));
    fields.put_date("created_at", key.created_at);
    fields.put("created_by", key.created_by.as_str());
    fields.put_date_opt("expires_at", key.expires_at);
    fields.put_date_opt("revoked_at", key.revoked_at);
    fields
}

/// Reads an API key.
pub fn decode_key(document: &RawDocument, _: &Shelf) -> Result<ApiKey, Unreadable> {
    let reader = Reader::new(document)?;
    Ok(ApiKey {
        id: reader.parsed("key_id")?,
        namespace: reader.parsed("namespace")?,
        revision: reader.int("revision")?,
        name: reader.text("name")?.to_owned(),
        sha256: read_hash(&reader, "sha256")?,
        hint: reader.text("hint")?.to_owned(),
        permissions: reader.list_of("permissions")?,
        created_at: reader.date("created_at")?,
        created_by: reader.text("created_by")?.to_owned(),
        expires_at: reader.date_opt("expires_at")?,
        revoked_at: reader.date_opt("revoked_at")?,
    })
}

/// The memory of an answered request.
pub fn encode_idempotency(record: &IdempotencyRecord, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("namespace", record.namespace.as_str());
    fields.put("key", record.key.as_str());
    fields.put("fingerprint", hash(&record.fingerprint));
    payload::put(
        &mut fields,
        "outcome",
        &record.outcome,
        INLINE_BYTES_MAX,
        large,
    );
    fields.put_date("created_at", record.created_at);
    fields.put_date("expires_at", record.expires_at);
    fields
}

/// Reads the memory of an answered request.
pub fn decode_idempotency(
    document: &RawDocument,
    shelf: &Shelf,
) -> Result<IdempotencyRecord, Unreadable> {
    let reader = Reader::new(document)?;
    Ok(IdempotencyRecord {
        namespace: reader.parsed("namespace")?,
        key: reader.text("key")?.to_owned(),
        fingerprint: read_hash(&reader, "fingerprint")?,
        outcome: payload::need(&reader, "outcome", shelf)?,
        created_at: reader.date("created_at")?,
        expires_at: reader.date("expires_at")?,
    })
}

/// Lines of a task's log that were written together; the first has this number.
pub fn encode_lines(namespace: &Namespace, task: &TaskId, first: u64, lines: &[Line]) -> Fields {
    let mut fields = Fields::new();
    fields.put("namespace", namespace.as_str());
    fields.put("task_id", task.as_str());
    fields.put_u64("first", first);
    let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    fields.put_u64("last", (first + count).saturating_sub(1));
    let all: Vec<Fields> = lines
        .iter()
        .map(|line| {
            let mut inner = Fields::new();
            inner.put_date("at", line.at);
            inner.put("attempt", i64::from(line.attempt));
            inner.put("level", line.level.as_str());
            inner.put("message", line.message.as_str());
            inner
        })
        .collect();
    fields.put_all("lines", all);
    fields
}

/// Reads lines that were written together.
pub fn decode_lines(document: &RawDocument) -> Result<Vec<Line>, Unreadable> {
    let reader = Reader::new(document)?;
    let first: u64 = reader.int("first")?;
    reader
        .inner_all("lines")?
        .iter()
        .zip(first..)
        .map(|(inner, seq)| {
            Ok(Line {
                seq,
                at: inner.date("at")?,
                attempt: inner.int("attempt")?,
                level: inner.word("level", level)?,
                message: inner.text("message")?.to_owned(),
            })
        })
        .collect()
}

fn level(word: &str) -> Option<Level> {
    [
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Critical,
    ]
    .into_iter()
    .find(|each| each.as_str() == word)
}
