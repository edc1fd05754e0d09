//! Where a live task stands, as one text: one index for claims, leases, timers of readiness and sweeps.
//!
//! | phase | the task |
//! | --- | --- |
//! | `ready/<namespace>/<class>` | could be given out this moment |
//! | `later/<date>/<namespace>` | waits for its time only |
//! | `held/<namespace>/<agent>/<session>` | is leased |
//! | `waiting/<namespace>` | waits for tasks that are not completed |
//! | `doomed/<namespace>` | waits for one that will not complete of itself |
//!
//! What is said here in Rust for a task that waits for no other is said in MongoDB's language for those that do:
//! what they wait for is known to the transaction only.

use mcpanel_domain::{
    Namespace, Timestamp,
    task::{Status, Task},
};
use mongodb::bson::{Bson, Document, Regex, doc, raw::CString};

use super::{
    derived::{self, class_of},
    fields::date,
    tags,
};

/// Texts from a beginning on up to another, which is not among them.
pub struct Range(String, String);

impl Range {
    /// All phases that begin with a text and a slash. `0` follows `/` in ASCII, and no id holds either.
    fn below(prefix: &str) -> Self {
        Self(format!("{prefix}/"), format!("{prefix}0"))
    }

    /// As MongoDB's filters say it.
    pub fn filter(self) -> Document {
        doc! { "$gte": self.0, "$lt": self.1 }
    }
}

/// Ready tasks of one class.
pub fn ready(namespace: &Namespace, class: &str) -> String {
    format!("ready/{namespace}/{class}")
}

/// The class in the phase of a ready task.
pub fn class_in(phase: &str) -> Option<&str> {
    phase
        .strip_prefix("ready/")?
        .split_once('/')
        .map(|(_, class)| class)
}

/// Ready tasks of a namespace.
pub fn all_ready(namespace: &Namespace) -> Range {
    Range::below(&format!("ready/{namespace}"))
}

/// Tasks that a session holds.
pub fn held(namespace: &Namespace, agent: &str, session: &str) -> String {
    format!("held/{namespace}/{agent}/{session}")
}

/// Tasks that an agent holds, in whichever session.
pub fn held_by(namespace: &Namespace, agent: &str) -> Range {
    Range::below(&format!("held/{namespace}/{agent}"))
}

/// All tasks that are held.
pub fn all_held() -> Range {
    Range::below("held")
}

/// Namespace, agent and session in the phase of a held task.
pub fn holder_in(phase: &str) -> Option<(&str, &str, &str)> {
    let (namespace, holder) = phase.strip_prefix("held/")?.split_once('/')?;
    let (agent, session) = holder.split_once('/')?;
    Some((namespace, agent, session))
}

/// All tasks that wait for their time only.
pub fn all_later() -> Range {
    Range::below("later")
}

/// Those of them whose time has come.
pub fn later_until(now: Timestamp) -> Range {
    Range("later/".to_owned(), format!("later/{now}0"))
}

/// All tasks with a dependency that will not complete of itself.
pub fn all_doomed() -> Range {
    Range::below("doomed")
}

/// The namespace in any phase.
pub fn namespace_in(phase: &str) -> Option<&str> {
    let mut parts = phase.split('/');
    match parts.next()? {
        "later" => parts.nth(1),
        _ => parts.next(),
    }
}

/// Live tasks of a namespace, as a filter of the field.
pub fn live_in(namespace: &Namespace) -> Document {
    // Of a namespace's letters only the dot means something else to an expression.
    let escaped = namespace.as_str().replace('.', "\\.");
    let like = |pattern: String| {
        Bson::RegularExpression(Regex {
            pattern: pattern.try_into().expect("a namespace holds no NUL"),
            options: CString::try_from(String::new()).expect("nothing holds no NUL"),
        })
    };
    doc! { "$in": [
        like(format!("^ready/{escaped}/")),
        like(format!("^held/{escaped}/")),
        like(format!("^later/[^/]*/{escaped}$")),
        waiting(namespace),
        doomed(namespace),
    ] }
}

fn later(at: Timestamp, namespace: &Namespace) -> String {
    format!("later/{at}/{namespace}")
}

fn waiting(namespace: &Namespace) -> String {
    format!("waiting/{namespace}")
}

fn doomed(namespace: &Namespace) -> String {
    format!("doomed/{namespace}")
}

/// What a task's dependencies let it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependencies {
    /// It has none, or all are completed.
    Completed,
    /// Some are not completed.
    Open,
    /// Some will not complete of themselves.
    Dead,
}

/// The phase of a task, unless it ended.
pub fn of(task: &Task, dependencies: Dependencies, now: Timestamp) -> Option<String> {
    if let Some(lease) = task.lease() {
        let (agent, session) = (lease.agent_id.as_str(), lease.session.as_str());
        return Some(held(&task.namespace, agent, session));
    }
    let from = task.ready_at()?;
    Some(match dependencies {
        Dependencies::Dead => doomed(&task.namespace),
        Dependencies::Open => waiting(&task.namespace),
        Dependencies::Completed if from <= now => ready(&task.namespace, &class_of(task)),
        Dependencies::Completed => later(from, &task.namespace),
    })
}

/// Steps of an update that work out anew what follows from what tasks still wait for: [`of`] in MongoDB's language,
/// and their tags.
pub fn refresh(now: Timestamp) -> Vec<Document> {
    let path = |field: &str| format!("${field}");
    let some = |field: &str| {
        let count = doc! { "$size": { "$ifNull": [path(field), []] } };
        doc! { "$gt": [count, 0] }
    };
    let any_of = |words: [Status; 2]| {
        let words = words.map(|status| status.as_str());
        doc! { "$in": ["$status", { "$literal": words.to_vec() }] }
    };
    let from = path(derived::READY_FROM);
    let is_open = any_of([Status::Pending, Status::Retry]);
    let when = |case: Document, then: Vec<&str>| doc! { "case": case, "then": { "$concat": then } };
    let class = path(derived::CLASS);
    let held = vec![
        "held/",
        "$namespace",
        "/",
        "$lease.agent_id",
        "/",
        "$lease.session_id",
    ];
    let later = doc! { "$concat": [
        "later/", { "$dateToString": { "date": &from, "format": "%Y-%m-%dT%H:%M:%S.%LZ" } }, "/", "$namespace",
    ] };
    let phase = doc! { "$switch": {
        "branches": [
            when(any_of([Status::Assigned, Status::Running]), held),
            { "case": { "$not": [is_open] }, "then": "$$REMOVE" },
            when(some(derived::DOOMED_BY), vec!["doomed/", "$namespace"]),
            when(some(derived::WAITING_ON), vec!["waiting/", "$namespace"]),
            when(
                doc! { "$lte": [&from, date(now)] },
                vec!["ready/", "$namespace", "/", &class],
            ),
        ],
        "default": later,
    } };
    let kept = |field: &str| doc! { "$cond": [some(field), path(field), "$$REMOVE"] };
    vec![doc! { "$set": {
        derived::PHASE: phase,
        derived::TAGS: tags::stored(),
        derived::WAITING_ON: kept(derived::WAITING_ON),
        derived::DOOMED_BY: kept(derived::DOOMED_BY),
    } }]
}
