//! Questions about tasks that are not lists.

use mcpanel_domain::{Namespace, TaskId, TemplateId};
use mcpanel_store::Offer;
use mongodb::bson::{Document, doc};

use super::Query;
use crate::{
    documents::{derived, phase, tags},
    schema,
};

/// Documents by id, of whichever collection has `field` for it.
pub fn by_ids<'a>(
    collection: &'static str,
    field: &str,
    namespace: &Namespace,
    ids: impl IntoIterator<Item = &'a str>,
) -> Query {
    let ids: Vec<&str> = ids.into_iter().collect();
    let filter: Document = match ids.as_slice() {
        [id] => doc! { "namespace": namespace.as_str(), field: *id },
        ids => doc! { "namespace": namespace.as_str(), field: { "$in": ids } },
    };
    Query::of(collection, filter).by("by_id")
}

/// Whether an offer can serve the tasks of a class.
pub fn class_suits(class: &str, offer: &Offer) -> bool {
    let (capabilities, target) = match class.split_once('@') {
        Some((capabilities, target)) => (capabilities, Some(target)),
        None => (class, None),
    };
    target.is_none_or(|target| target == offer.agent_id.as_str())
        && capabilities
            .split(',')
            .filter(|needed| !needed.is_empty())
            .all(|needed| {
                offer
                    .capabilities
                    .binary_search_by(|each| each.as_str().cmp(needed))
                    .is_ok()
            })
}

/// The best tasks of a class that could be given out, as far as the index tells.
pub fn ready_in(namespace: &Namespace, class: &str, limit: usize) -> Query {
    Query::of(
        schema::TASKS,
        doc! { derived::PHASE: phase::ready(namespace, class) },
    )
    .by("by_phase")
    .sorted(doc! { "priority": -1, "ready_by": 1, "created_at": 1, "task_id": 1 })
    .only(&[
        "task_id",
        "priority",
        "ready_by",
        "created_at",
        "pipeline_id",
    ])
    .at_most(limit)
}

/// Live tasks that wait for any of these.
pub fn waiting_on(namespace: &Namespace, ids: &[&str]) -> Query {
    let words: Vec<String> = ids.iter().map(|id| tags::waits(id)).collect();
    let filter = doc! { "namespace": namespace.as_str(), derived::TAGS: { "$in": words } };
    Query::of(schema::TASKS, filter)
        .by("by_tag")
        .only(&["task_id"])
}

/// Log lines of a task with a number above `after`, in the blocks they were written in.
pub fn logs(namespace: &Namespace, id: &TaskId, after: i64, blocks: usize) -> Query {
    Query::of(
        schema::TASK_LOGS,
        doc! { "namespace": namespace.as_str(), "task_id": id.as_str(), "last": { "$gt": after } },
    )
    .by("by_line")
    .sorted(doc! { "last": 1 })
    .at_most(blocks)
}

/// A version of a template, the newest when none is named.
pub fn template(namespace: &Namespace, id: &TemplateId, version: Option<u32>) -> Query {
    let mut filter = doc! { "namespace": namespace.as_str(), "template_id": id.as_str() };
    if let Some(version) = version {
        filter.insert("version", i64::from(version));
    }
    Query::of(schema::TEMPLATES, filter)
        .by("by_id")
        .sorted(doc! { "version": -1 })
        .at_most(1)
}
