//! Operations, samples, and what happened in a minute.
//!
//! What nobody queries into is kept as the JSON form of the domain's own types, turned into BSON.

use mcpanel_domain::{
    Namespace, Payload, Timestamp,
    operation::Operation,
    sample::{Activity, Sample},
};
use mongodb::bson::RawDocument;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    fields::{Fields, Reader, Unreadable},
    payload::{self, INLINE_BYTES_MAX, Large, Shelf},
};

const WHOLE: &str = "document";

fn put_whole<T: Serialize>(fields: &mut Fields, value: &T, large: &mut Vec<Large>) {
    let json = Payload::of(value).expect("plain data with text keys always has a JSON form");
    payload::put(fields, WHOLE, &json, INLINE_BYTES_MAX, large);
}

fn read_whole<T: DeserializeOwned>(document: &RawDocument, shelf: &Shelf) -> Result<T, Unreadable> {
    let reader = Reader::new(document)?;
    let json = payload::need(&reader, WHOLE, shelf)?;
    serde_json::from_str(json.as_str()).map_err(|_| reader.problem(WHOLE, "not in a known form"))
}

/// An operation.
pub fn encode_operation(operation: &Operation, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("operation_id", operation.id.as_str());
    fields.put("namespace", operation.namespace.as_str());
    fields.put_u64("revision", operation.revision);
    fields.put("status", operation.status.as_str());
    fields.put_date("created_at", operation.created_at);
    if !operation.status.is_terminal() {
        fields.put("running", true);
    }
    put_whole(&mut fields, operation, large);
    fields
}

/// Reads an operation.
pub fn decode_operation(document: &RawDocument, shelf: &Shelf) -> Result<Operation, Unreadable> {
    read_whole(document, shelf)
}

/// How a namespace stood after a minute.
pub fn encode_sample(sample: &Sample, large: &mut Vec<Large>) -> Fields {
    let mut fields = Fields::new();
    fields.put("namespace", sample.namespace.as_str());
    fields.put("sample_id", sample.minute.to_string());
    fields.put_date("minute", sample.minute);
    put_whole(&mut fields, sample, large);
    fields
}

/// Reads how a namespace stood after a minute.
pub fn decode_sample(document: &RawDocument, shelf: &Shelf) -> Result<Sample, Unreadable> {
    read_whole(document, shelf)
}

/// What one instance saw happen in a minute.
pub fn encode_activity(
    namespace: &Namespace,
    minute: Timestamp,
    instance: &str,
    activity: &Activity,
) -> Fields {
    let mut fields = Fields::new();
    fields.put("namespace", namespace.as_str());
    fields.put_date("minute", minute);
    fields.put("instance", instance);
    put_whole(&mut fields, activity, &mut Vec::new());
    fields
}

/// Reads what an instance saw happen in a minute.
pub fn decode_activity(document: &RawDocument, shelf: &Shelf) -> Result<Activity, Unreadable> {
    read_whole(document, shelf)
}
