//! Every index. Those that only few documents need at a time are partial: a finished task is in none of them.
//!
//! An index of `tasks` costs more than its own writes: when a change touches any indexed field, MongoDB works out the keys
//! of every index of the collection, of the document before and after. So there are few, each for many questions.

use mongodb::bson::{Document, doc};

use super::{
    ACTIVITY, AGENTS, API_KEYS, ARTIFACTS, EVENT_BLOCKS, IDEMPOTENCY, OPERATIONS, PAYLOADS,
    PIPELINES, SAMPLES, TASK_LOGS, TASKS, TEMPLATES,
};

/// An index.
pub struct Index {
    /// On which collection.
    pub collection: &'static str,
    /// What it is called; queries name it in hints.
    pub name: &'static str,
    /// Fields, a `-` before those that descend.
    pub fields: &'static [&'static str],
    /// Whether no two documents may be the same in it.
    pub unique: bool,
    /// Only documents that have this field are in it.
    pub only_with: Option<&'static str>,
    /// Documents go by themselves so many seconds after the date in its first field.
    pub expires_after: Option<i64>,
}

const fn plain(
    collection: &'static str,
    name: &'static str,
    fields: &'static [&'static str],
) -> Index {
    Index {
        collection,
        name,
        fields,
        unique: false,
        only_with: None,
        expires_after: None,
    }
}

const fn unique(
    collection: &'static str,
    name: &'static str,
    fields: &'static [&'static str],
) -> Index {
    Index {
        unique: true,
        ..plain(collection, name, fields)
    }
}

const fn only_with(
    collection: &'static str,
    name: &'static str,
    fields: &'static [&'static str],
    field: &'static str,
) -> Index {
    Index {
        only_with: Some(field),
        ..plain(collection, name, fields)
    }
}

/// A net under our own purge, which goes by the server's clock: a day later.
const IDEMPOTENCY_NET_SECONDS: i64 = 24 * 3_600;

/// Activity is at hand for [`ACTIVITY_MINUTES_KEPT`](mcpanel_store::ACTIVITY_MINUTES_KEPT) minutes; a day does no
/// harm.
const ACTIVITY_SECONDS: i64 = 24 * 3_600;

/// All of them.
pub const INDEXES: &[Index] = &[
    unique(TASKS, "by_id", &["namespace", "task_id"]),
    plain(
        TASKS,
        "by_tag",
        &["namespace", "tags", "-created_at", "-task_id"],
    ),
    // Beside the order within a class, what sums over live tasks are made of.
    only_with(
        TASKS,
        "by_phase",
        &[
            "phase",
            "-priority",
            "ready_by",
            "created_at",
            "task_id",
            "pipeline_id",
            "task_type",
        ],
        "phase",
    ),
    only_with(TASKS, "due", &["due_at"], "due_at"),
    unique(AGENTS, "by_id", &["namespace", "agent_id"]),
    only_with(AGENTS, "due", &["due_at"], "due_at"),
    unique(PIPELINES, "by_id", &["namespace", "pipeline_id"]),
    plain(
        PIPELINES,
        "newest",
        &["namespace", "-created_at", "-pipeline_id"],
    ),
    plain(
        PIPELINES,
        "by_status",
        &["namespace", "status", "-created_at", "-pipeline_id"],
    ),
    plain(
        PIPELINES,
        "by_tag",
        &["namespace", "tags", "-created_at", "-pipeline_id"],
    ),
    plain(
        PIPELINES,
        "by_template",
        &["namespace", "template_id", "-created_at", "-pipeline_id"],
    ),
    only_with(PIPELINES, "unfinished", &["unfinished"], "unfinished"),
    unique(
        TEMPLATES,
        "by_id",
        &["namespace", "template_id", "-version"],
    ),
    unique(ARTIFACTS, "by_id", &["namespace", "artifact_id"]),
    plain(
        ARTIFACTS,
        "newest",
        &["namespace", "-created_at", "-artifact_id"],
    ),
    plain(
        ARTIFACTS,
        "by_pipeline",
        &[
            "namespace",
            "pipeline_id",
            "-created_at",
            "-artifact_id",
            "stage",
            "role",
        ],
    ),
    plain(
        ARTIFACTS,
        "by_task",
        &["namespace", "task_id", "-created_at", "-artifact_id"],
    ),
    unique(API_KEYS, "by_id", &["namespace", "key_id"]),
    plain(API_KEYS, "newest", &["namespace", "-created_at", "-key_id"]),
    plain(API_KEYS, "by_secret", &["sha256"]),
    unique(IDEMPOTENCY, "by_id", &["namespace", "key"]),
    Index {
        expires_after: Some(IDEMPOTENCY_NET_SECONDS),
        ..plain(IDEMPOTENCY, "expired", &["expires_at"])
    },
    unique(TASK_LOGS, "by_line", &["namespace", "task_id", "last"]),
    only_with(EVENT_BLOCKS, "numbered", &["last_seq"], "last_seq"),
    only_with(EVENT_BLOCKS, "unnumbered", &["order", "_id"], "waits"),
    unique(OPERATIONS, "by_id", &["namespace", "operation_id"]),
    plain(
        OPERATIONS,
        "newest",
        &["namespace", "-created_at", "-operation_id"],
    ),
    plain(
        OPERATIONS,
        "by_status",
        &["namespace", "status", "-created_at", "-operation_id"],
    ),
    only_with(
        OPERATIONS,
        "running",
        &["namespace", "operation_id"],
        "running",
    ),
    unique(SAMPLES, "by_id", &["namespace", "sample_id"]),
    plain(SAMPLES, "by_minute", &["namespace", "minute"]),
    plain(SAMPLES, "oldest", &["minute"]),
    unique(ACTIVITY, "by_minute", &["namespace", "minute", "instance"]),
    Index {
        expires_after: Some(ACTIVITY_SECONDS),
        ..plain(ACTIVITY, "expired", &["minute"])
    },
    unique(PAYLOADS, "by_content", &["sha256", "chunk"]),
    plain(PAYLOADS, "unused", &["used_at", "sha256"]),
];

impl Index {
    /// As the server's command wants it.
    pub fn specification(&self) -> Document {
        let mut key = Document::new();
        for field in self.fields {
            match field.strip_prefix('-') {
                Some(field) => key.insert(field, -1),
                None => key.insert(*field, 1),
            };
        }
        let mut specification = doc! { "name": self.name, "key": key };
        if self.unique {
            specification.insert("unique", true);
        }
        if let Some(field) = self.only_with {
            specification.insert(
                "partialFilterExpression",
                doc! { field: { "$exists": true } },
            );
        }
        if let Some(seconds) = self.expires_after {
            specification.insert("expireAfterSeconds", seconds);
        }
        specification
    }
}
