//! The rules of operations.

use std::borrow::Cow;

use super::{Cursor, Kind, Matched, Operation, Status};
use crate::{
    Fault, Namespace, OperationId, Rejection, Timestamp,
    event::{self, Event},
    limits::{SEARCH_TEXT_CHARS_MAX, TEXT_CHARS_MAX},
    task::Search,
    text::bad_text,
};

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// Its id.
    pub id: OperationId,
    /// What is wished.
    pub kind: Kind,
    /// Of which tasks.
    pub search: Search,
    /// That every task is meant, where the search names none in particular.
    pub all: bool,
    /// Why, for people.
    pub reason: Option<String>,
}

/// What may happen to an operation.
#[derive(Debug, Clone)]
pub enum Command {
    /// Some tasks were dealt with.
    Advance(Step),
    /// Stop.
    Abort {
        /// Who asked.
        by: String,
    },
    /// It cannot go on.
    Fail {
        /// Why, for people.
        why: String,
    },
}

/// What one step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Tasks that were changed.
    pub done: u64,
    /// Tasks that did not allow it.
    pub skipped: u64,
    /// Tasks that could not be changed.
    pub failed: u64,
    /// How far the walk came; none at the end of the list.
    pub cursor: Option<Cursor>,
}

/// What the rules decided.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// The document afterwards; none when nothing changes.
    pub operation: Option<Operation>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Checks a new operation; all its faults at once.
pub fn create(
    new: NewOperation,
    matched: Matched,
    namespace: &Namespace,
    by: &str,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let mut faults = Vec::new();
    if new.search.is_empty() && !new.all {
        faults.push(Fault::new(
            "/filter",
            "empty_filter",
            "names no tasks in particular; send `\"all\": true` if every task is meant",
        ));
    }
    if new
        .kind
        .narrow(new.search.clone())
        .filter
        .statuses
        .is_empty()
    {
        let possible: Vec<String> = new
            .kind
            .possible()
            .iter()
            .map(|status| format!("`{}`", status.as_str()))
            .collect();
        faults.push(Fault::new(
            "/filter/statuses",
            "nothing_to_do",
            format!(
                "a {} changes nothing about such tasks; it is for {}",
                new.kind.as_str(),
                possible.join(", ")
            ),
        ));
    }
    if let Some(text) = &new.search.text {
        let chars = text.chars().count();
        if chars == 0 || chars > SEARCH_TEXT_CHARS_MAX {
            faults.push(Fault::new(
                "/filter/text",
                "length",
                format!("has {chars} characters; must have 1 to {SEARCH_TEXT_CHARS_MAX}"),
            ));
        }
    }
    let reason = new.reason.as_deref().unwrap_or_default();
    if let Some(why) = bad_text(reason, TEXT_CHARS_MAX) {
        faults.push(Fault::new("/reason", "too_long", why));
    }
    if !faults.is_empty() {
        return Err(Rejection::Invalid { faults });
    }
    let operation = Operation {
        id: new.id,
        namespace: namespace.clone(),
        revision: 1,
        kind: new.kind,
        search: new.search,
        status: Status::Running,
        matched,
        done: 0,
        skipped: 0,
        failed: 0,
        cursor: None,
        reason: new.reason,
        error: None,
        created_by: by.to_owned(),
        created_at: now,
        updated_at: now,
        completed_at: None,
    };
    let told = event(&operation, event::Kind::OperationCreated, now);
    Ok(Decision {
        operation: Some(operation),
        events: vec![told],
    })
}

/// What a command makes of an operation.
pub fn decide(
    operation: &Operation,
    command: Command,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    if operation.status.is_terminal() {
        return match command {
            // Said twice, or too late to matter: what was done stays done.
            Command::Abort { .. } if operation.status == Status::Aborted => Ok(Decision::default()),
            Command::Advance(_) | Command::Abort { .. } | Command::Fail { .. } => {
                Err(Rejection::InvalidTransition {
                    what: "this",
                    of: "operation",
                    state: operation.status.as_str(),
                    hint: "; it has ended",
                })
            }
        };
    }
    let mut next = operation.clone();
    next.revision += 1;
    next.updated_at = now.not_before(operation.updated_at);
    let kind = match command {
        Command::Advance(step) => {
            next.done += step.done;
            next.skipped += step.skipped;
            next.failed += step.failed;
            match step.cursor {
                Some(cursor) => {
                    next.cursor = Some(cursor);
                    event::Kind::OperationProgressed
                }
                None => {
                    next.status = Status::Completed;
                    event::Kind::OperationCompleted
                }
            }
        }
        Command::Abort { by } => {
            next.status = Status::Aborted;
            next.error = Some(format!("aborted by `{by}`"));
            event::Kind::OperationAborted
        }
        Command::Fail { why } => {
            next.status = Status::Failed;
            next.error = Some(why);
            event::Kind::OperationFailed
        }
    };
    if next.status.is_terminal() {
        next.completed_at = Some(next.updated_at);
    }
    let told = event(&next, kind, now);
    Ok(Decision {
        operation: Some(next),
        events: vec![told],
    })
}

/// An event about `operation` as it is now.
pub fn event(operation: &Operation, kind: event::Kind, at: Timestamp) -> Event {
    let mut event = Event::new(kind, at, operation.namespace.clone());
    event.status = Some(Cow::Borrowed(operation.status.as_str()));
    event.progress = Some(operation.progress());
    event.subject = Some(operation.id.to_string());
    event.message = Some(format!(
        "{}: {} done, {} skipped, {} failed",
        operation.kind.as_str(),
        operation.done,
        operation.skipped,
        operation.failed
    ));
    event
}
