//! Guarded updates, few for many documents.
//!
//! MongoDB parses, plans and runs each statement for itself, which costs about as much again as the change. So
//! changes of tasks at the same revision, of which the same fields go, are one statement: it finds all of them, and picks
//! for each what to set by its id.

use mcpanel_domain::{Namespace, TaskId};
use mongodb::bson::{RawArrayBuf, RawDocumentBuf, raw::cstr, rawdoc};
use rustc_hash::FxHashMap;

use crate::documents::{Fields, fields::long};

/// Fewer than these are not worth a statement that has to look each of them up.
const TOGETHER_MIN: usize = 4;

/// A statement, and how many documents it must find.
pub struct Statement {
    /// As the `update` command takes it.
    pub raw: RawDocumentBuf,
    /// Documents.
    pub documents: usize,
}

impl Statement {
    /// The change of one document.
    pub fn one(filter: RawDocumentBuf, change: RawDocumentBuf) -> Self {
        Self {
            raw: rawdoc! { "q": filter, "u": change, "hint": "by_id" },
            documents: 1,
        }
    }
}

/// The change of a task.
pub struct Update {
    /// Where it is.
    pub namespace: Namespace,
    /// Which it is.
    pub id: TaskId,
    /// The revision that it must be at.
    pub revision: u64,
    /// Fields that it gets.
    pub set: Fields,
    /// Fields that it loses.
    pub unset: Vec<String>,
}

/// The statements of many changes.
pub fn together(updates: Vec<Update>) -> Vec<Statement> {
    let mut alike: FxHashMap<(Namespace, u64, Vec<String>), Vec<Update>> = FxHashMap::default();
    for mut update in updates {
        let unset = std::mem::take(&mut update.unset);
        let key = (update.namespace.clone(), update.revision, unset);
        alike.entry(key).or_default().push(update);
    }
    let mut statements = Vec::with_capacity(alike.len());
    for ((namespace, revision, unset), updates) in alike {
        if updates.len() < TOGETHER_MIN {
            statements.extend(updates.into_iter().map(|update| {
                let filter = guard("task_id", &namespace, update.id.as_str(), revision);
                Statement::one(filter, change(update.set, unset.clone()))
            }));
        } else {
            statements.push(many(&namespace, revision, unset, updates));
        }
    }
    statements
}

fn many(
    namespace: &Namespace,
    revision: u64,
    unset: Vec<String>,
    updates: Vec<Update>,
) -> Statement {
    let documents = updates.len();
    let mut ids = RawArrayBuf::new();
    let mut sets = RawArrayBuf::new();
    for update in updates {
        ids.push(update.id.as_str());
        sets.push(update.set.into_raw());
    }
    let filter = rawdoc! {
        "namespace": namespace.as_str(), "task_id": { "$in": ids.clone() }, "revision": long(revision),
    };
    let own = rawdoc! { "$arrayElemAt": [
        { "$literal": sets }, { "$indexOfArray": [{ "$literal": ids }, "$task_id"] },
    ] };
    let mut steps = RawArrayBuf::new();
    steps.push(rawdoc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", own] } });
    if !unset.is_empty() {
        let names: RawArrayBuf = unset.iter().map(String::as_str).collect();
        steps.push(rawdoc! { "$unset": names });
    }
    Statement {
        raw: rawdoc! { "q": filter, "u": steps, "multi": true, "hint": "by_id" },
        documents,
    }
}

/// One document at one revision.
pub fn guard(field: &str, namespace: &Namespace, id: &str, revision: u64) -> RawDocumentBuf {
    let mut filter = Fields::new();
    filter.put("namespace", namespace.as_str());
    filter.put(field, id);
    filter.put("revision", long(revision));
    filter.into_raw()
}

/// A change by field.
pub fn change(set: Fields, unset: Vec<String>) -> RawDocumentBuf {
    let mut change = RawDocumentBuf::new();
    if !set.is_empty() {
        change.append(cstr!("$set"), set.into_raw());
    }
    if !unset.is_empty() {
        let mut names = Fields::new();
        for name in &unset {
            names.put(name, true);
        }
        change.append(cstr!("$unset"), names.into_raw());
    }
    change
}
