//! Free-form JSON in a document: as BSON, as text, or, when it is large, on a shelf of its own.
//!
//! Whichever it is shows in the name of the field: `parameters` holds BSON, `parameters_json` text,
//! and `parameters_stored_as` the SHA-256 under which the collection `payloads` keeps the text in
//! chunks. Chunks are found by what they hold, so they never change, need no transaction, and many documents
//! can share one.

use std::{cell::RefCell, collections::HashMap, fmt::Write as _};

use mcpanel_domain::Payload;
use sha2::{Digest, Sha256};

use super::fields::{Fields, Reader, Unreadable};

/// Largest JSON text of a task's input or output that stays in its document, in bytes. As BSON it can
/// grow five-fold (a list of small numbers); twice that stays below MongoDB's 16 MB.
pub const INLINE_BYTES_MAX: usize = 1024 * 1024;

/// Largest JSON text of parts that a document can have by the dozen (stage parameters, error details), in
/// bytes: 64 stages of it, five times grown, are 10 MB.
pub const PART_BYTES_MAX: usize = 32 * 1024;

/// Largest chunk, in bytes: a quarter of MongoDB's document limit.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// A value that is kept beside its document.
#[derive(Debug, Clone)]
pub struct Large {
    /// SHA-256 of the text, in hex.
    pub sha256: String,
    /// The text.
    pub payload: Payload,
}

/// Values that are kept beside documents: filled before a document is read, emptied into the database
/// before one is written.
#[derive(Debug, Default)]
pub struct Shelf {
    known: HashMap<String, Payload>,
    missing: RefCell<Vec<String>>,
}

impl Shelf {
    /// Puts a value on the shelf.
    pub fn put(&mut self, sha256: String, payload: Payload) {
        self.known.insert(sha256, payload);
    }

    /// What was asked for and is not there; asking empties the list.
    pub fn take_missing(&self) -> Vec<String> {
        let mut missing = self.missing.take();
        missing.sort();
        missing.dedup();
        missing
    }

    /// The value, or an empty one in its place after noting that it is missing.
    fn get(&self, sha256: &str) -> Payload {
        self.known.get(sha256).cloned().unwrap_or_else(|| {
            self.missing.borrow_mut().push(sha256.to_owned());
            Payload::empty()
        })
    }
}

/// The three names under which a value may be found.
fn names(name: &str) -> [String; 3] {
    [
        name.to_owned(),
        format!("{name}_json"),
        format!("{name}_stored_as"),
    ]
}

/// Adds a value; a large one goes to `large` too.
pub fn put(fields: &mut Fields, name: &str, value: &Payload, max: usize, large: &mut Vec<Large>) {
    if value.size_bytes() > max {
        let sha256 = sha256(value.as_str());
        fields.put(&format!("{name}_stored_as"), sha256.as_str());
        large.push(Large {
            sha256,
            payload: value.clone(),
        });
        return;
    }
    match super::json::to_bson(value.as_str()) {
        // A null could not be told from a field that is not there.
        Some(mongodb::bson::RawBson::Null) | None => {
            fields.put(&format!("{name}_json"), value.as_str());
        }
        Some(bson) => fields.put(name, bson),
    }
}

/// The names that a new value under this name must remove: those it is not stored under.
pub fn other_names(fields: &Fields, name: &str) -> Vec<String> {
    names(name)
        .into_iter()
        .filter(|each| !matches!(fields.raw().get(each), Ok(Some(_))))
        .collect()
}

/// Reads a value, if it is there.
pub fn get(reader: &Reader<'_>, name: &str, shelf: &Shelf) -> Result<Option<Payload>, Unreadable> {
    if let Some(bson) = reader.get(name) {
        return match super::json::to_json(bson) {
            Some(text) => Ok(Some(Payload::from_stored(&text))),
            None => Err(reader.problem(name, "of a type that JSON has not")),
        };
    }
    let [_, json, stored_as] = names(name);
    if let Some(text) = reader.text_opt(&json)? {
        return Ok(Some(Payload::from_stored(text)));
    }
    Ok(reader.text_opt(&stored_as)?.map(|sha256| shelf.get(sha256)))
}

/// Reads a value that must be there.
pub fn need(reader: &Reader<'_>, name: &str, shelf: &Shelf) -> Result<Payload, Unreadable> {
    get(reader, name, shelf)?.ok_or_else(|| reader.problem(name, "missing"))
}

/// SHA-256 in hex.
pub fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing into a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
