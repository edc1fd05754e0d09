//! Pages of lists, newest first, over memory and tables.

use std::{collections::BTreeMap, hash::Hash, str::FromStr, sync::Arc};

use mcpanel_domain::{
    Namespace, TaskId, Timestamp, artifact::Artifact, operation::Operation, pipeline::Pipeline,
    task::Task,
};
use mcpanel_store::{
    Key, Result,
    query::{ArtifactFilter, Listing, OperationFilter, Page, PipelineFilter, Position, TaskFilter},
};
use rustc_hash::FxHashMap;

use super::live::{changed, walk};
use crate::{
    error::read_failed,
    recent::Recent,
    shared::Shared,
    state::State,
    tables::{
        Range, Read,
        lists::{Listed, Plan, artifact_plan, operation_plan, pipeline_plan, task_plan},
    },
};

/// Where a page is taken from, and which.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub shared: &'a Shared,
    pub namespace: &'a Namespace,
    pub page: &'a Page,
}

/// From when on, and before when, what a page holds was created.
type Created = (Option<Timestamp>, Option<Timestamp>);

/// A page of tasks.
pub fn tasks(source: &Source<'_>, filter: &TaskFilter) -> Result<Listing<Arc<Task>>> {
    let namespace = source.namespace;
    let _gate = source.shared.list_gate.read();
    let query = Query {
        source: *source,
        created: (filter.created_from, filter.created_before),
        matches: &|task: &Task| filter.matches(task),
        present: &|state: &State, id: &str| {
            let id = TaskId::parse(id).ok()?;
            Some(state.task(&(namespace.clone(), id)).cloned()).filter(Option::is_some)
        },
    };
    // The live ones first: one that ends meanwhile is among the changes then.
    let live = walk(source, filter);
    let mut memory = changed(&query);
    memory.extend(live);
    query.run(memory, task_plan(filter))
}

/// A page of pipelines.
pub fn pipelines(source: &Source<'_>, filter: &PipelineFilter) -> Result<Listing<Arc<Pipeline>>> {
    whole(
        source,
        (filter.created_from, filter.created_before),
        |recent| &recent.pipelines,
        &|pipeline: &Pipeline| filter.matches(pipeline),
        pipeline_plan(filter),
    )
}

/// A page of artifacts.
pub fn artifacts(source: &Source<'_>, filter: &ArtifactFilter) -> Result<Listing<Arc<Artifact>>> {
    whole(
        source,
        (None, None),
        |recent| &recent.artifacts,
        &|artifact: &Artifact| filter.matches(artifact),
        artifact_plan(filter),
    )
}

/// A page of operations.
pub fn operations(
    source: &Source<'_>,
    filter: &OperationFilter,
) -> Result<Listing<Arc<Operation>>> {
    whole(
        source,
        (None, None),
        |recent| &recent.operations,
        &|operation: &Operation| filter.matches(operation),
        operation_plan(filter),
    )
}

/// A changed document in memory: one that cannot be deleted is there as itself.
trait Changed<T>: Clone {
    /// The document; none when it was deleted.
    fn document(self) -> Option<Arc<T>>;
}

impl<T> Changed<T> for Arc<T> {
    fn document(self) -> Option<Self> {
        Some(self)
    }
}

impl<T> Changed<T> for Option<Arc<T>> {
    fn document(self) -> Self {
        self
    }
}

/// A page of documents whose whole change is in memory, where `of` has them.
fn whole<I, T, C>(
    source: &Source<'_>,
    created: Created,
    of: impl Fn(&Recent) -> &FxHashMap<Key<I>, C>,
    matches: &dyn Fn(&T) -> bool,
    plan: Plan,
) -> Result<Listing<Arc<T>>>
where
    I: Clone + Ord + Hash + FromStr,
    T: Listed,
    C: Changed<T>,
{
    let Source {
        shared, namespace, ..
    } = *source;
    let _gate = shared.list_gate.read();
    let mut newest: BTreeMap<I, C> = BTreeMap::new();
    for recent in shared.state.lock().recents() {
        for (key, changed) in of(recent).iter().filter(|(key, _)| key.0 == *namespace) {
            newest
                .entry(key.1.clone())
                .or_insert_with(|| changed.clone());
        }
    }
    let query = Query {
        source: *source,
        created,
        matches,
        present: &|state: &State, id: &str| {
            let key = (namespace.clone(), id.parse().ok()?);
            let changed = state.recents().find_map(|recent| of(recent).get(&key));
            changed.cloned().map(C::document)
        },
    };
    let memory = query.matching(newest.into_values().filter_map(C::document));
    query.run(memory, Some(plan))
}

/// A page that is being put together.
pub(super) struct Query<'a, T> {
    pub(super) source: Source<'a>,
    created: Created,
    matches: &'a dyn Fn(&T) -> bool,
    /// How a document stands in memory: `None` when it is not there, `Some(None)` when it is there as
    /// deleted.
    #[expect(clippy::type_complexity, reason = "spelled out once, explained above")]
    present: &'a dyn Fn(&State, &str) -> Option<Option<Arc<T>>>,
}

impl<T: Listed> Query<'_, T> {
    /// Those of memory that belong on the page or after it.
    pub(super) fn matching(&self, documents: impl Iterator<Item = Arc<T>>) -> Vec<Arc<T>> {
        documents
            .filter(|document| {
                let (created_at, id) = document.place();
                (self.matches)(document) && self.source.page.admits(created_at, id)
            })
            .collect()
    }

    /// Joins what memory has with what the tables have.
    fn run(&self, memory: Vec<Arc<T>>, plan: Option<Plan>) -> Result<Listing<Arc<T>>> {
        let mut items: BTreeMap<Position, Arc<T>> = memory
            .into_iter()
            .map(|document| (document.position(), document))
            .collect();
        let mut stopped = None;
        if let Some(plan) = plan {
            let found = self.stored(&plan)?;
            for document in found.documents {
                items.entry(document.position()).or_insert(document);
            }
            stopped = found.stopped;
        }
        if let Some(stopped) = &stopped {
            // What lies further back in memory belongs among what was not looked at yet.
            items = items.split_off(stopped);
        }
        let limit = self.source.page.limit;
        let mut newest = items.into_iter().rev();
        let page: Vec<(Position, Arc<T>)> = newest.by_ref().take(limit).collect();
        let next = match newest.next() {
            Some(_) => page.last().map(|(position, _)| position.clone()),
            None => stopped,
        };
        Ok(Listing {
            next,
            items: page.into_iter().map(|(_, document)| document).collect(),
        })
    }

    /// What the tables have, as far as the page needs, each document as it stands now. A condition that the lists do
    /// not know may pass over many documents, so the search ends after a while and says where.
    fn stored(&self, plan: &Plan) -> Result<Found<T>> {
        let Source {
            shared,
            namespace,
            page,
        } = self.source;
        let failed = |error: rusqlite::Error| read_failed(&error);
        let reader = shared.pool.get().map_err(failed)?;
        // One snapshot for the lists and the documents they name.
        let snapshot = reader.unchecked_transaction().map_err(failed)?;
        let read = Read {
            connection: &snapshot,
            namespaces: &shared.namespaces,
        };
        // One more than the page holds tells whether there is another page.
        let wanted = page.limit.saturating_add(1);
        let mut found = Vec::new();
        let mut looked = 0;
        let mut after = page.after.clone();
        let looks_max = shared.options.list_looks_max;
        while found.len() < wanted {
            if looked >= looks_max {
                return Ok(Found {
                    documents: found,
                    stopped: after,
                });
            }
            let range = Range {
                after: after.as_ref(),
                from: self.created.0,
                before: self.created.1,
                // Where few pass, more at once.
                limit: wanted.max(looked).min(looks_max - looked),
            };
            let positions = read.positions(namespace, plan, &range)?;
            let last = positions.len() < range.limit;
            looked += positions.len();
            after = positions.last().cloned();
            let present: Vec<Option<Option<Arc<T>>>> = {
                let state = shared.state.lock();
                positions
                    .iter()
                    .map(|position| (self.present)(&state, &position.id))
                    .collect()
            };
            for (position, present) in positions.into_iter().zip(present) {
                let document = match present {
                    Some(newer) => newer,
                    None => read.document::<T>(namespace, &position.id)?.map(Arc::new),
                };
                // A row of a deleted document may name one that was made later under its id.
                found.extend(document.filter(|document| {
                    document.position() == position && (self.matches)(document)
                }));
            }
            if last {
                break;
            }
        }
        Ok(Found {
            documents: found,
            stopped: None,
        })
    }
}

/// What the tables have of a page.
struct Found<T> {
    documents: Vec<Arc<T>>,
    /// How far back was looked, where that was not to the end.
    stopped: Option<Position>,
}
