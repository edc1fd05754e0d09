//! Writing grants that outlived a short task.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{Namespace, TaskId};
use mcpanel_store::{self as store, Commit, Grant, Grants, Write};

use super::assignment;
use crate::{Error, Result, core::Core};

/// Grants written by one round: some milliseconds of a transaction.
const BATCH: usize = 500;

/// What came of a round.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// There may be more.
    pub(crate) more: bool,
    /// Assignments that could not be written. They are tried again.
    pub(crate) failed: usize,
}

/// Writes the assignments that are old enough into their documents. One that cannot be written keeps no other from it.
pub(crate) async fn settle(core: &Core) -> Result<Settled> {
    let Some(remembered) = core.store.grants() else {
        return Ok(Settled::default());
    };
    let ripe = remembered.ripe(BATCH).await;
    let mut settled = Settled {
        more: ripe.len() >= BATCH,
        failed: 0,
    };
    let mut by_namespace: BTreeMap<Namespace, Vec<Grant>> = BTreeMap::new();
    for (namespace, grant) in ripe {
        by_namespace.entry(namespace).or_default().push(grant);
    }
    for (namespace, grants) in by_namespace {
        match write(core, remembered, &namespace, &grants).await {
            Ok(()) => continue,
            // Nothing of it can be written now, or all of it was: the next round finds out.
            Err(
                error @ Error::Store(
                    store::Error::Unavailable { .. } | store::Error::Unknown { .. },
                ),
            ) => {
                return Err(error);
            }
            Err(_) => {}
        }
        for grant in &grants {
            match write(core, remembered, &namespace, std::slice::from_ref(grant)).await {
                Ok(()) => {}
                // It moved on just now: the next round finds the grant void.
                Err(error) if error.conflict().is_some() => {}
                Err(error) => {
                    settled.failed += 1;
                    tracing::warn!(?grant, %error, "an assignment cannot be written; trying again soon");
                }
            }
        }
    }
    // What cannot be written would come at once again.
    settled.more &= settled.failed == 0;
    Ok(settled)
}

/// Grants that cannot be written ever, because the document moved on or because somebody made them up, are forgotten.
async fn write(
    core: &Core,
    remembered: &dyn Grants,
    namespace: &Namespace,
    grants: &[Grant],
) -> Result<()> {
    let ids: Vec<TaskId> = grants.iter().map(|grant| grant.task_id.clone()).collect();
    let documents = core.store.tasks(namespace, &ids).await?;
    let mut commit = Commit::default();
    let mut void = Vec::new();
    for (grant, document) in grants.iter().zip(documents) {
        let decision = document.and_then(|document| assignment(&document, grant, remembered.key()));
        match decision.and_then(|decision| Some((decision.task?, decision.events))) {
            Some((task, events)) => {
                commit.events.extend(events);
                commit.writes.push(Write::Task {
                    task: Arc::new(task),
                    parameters: None,
                    result: None,
                });
            }
            None => void.push(grant.clone()),
        }
    }
    if !void.is_empty() {
        remembered.drop_void(namespace, &void).await;
    }
    if commit.is_empty() {
        return Ok(());
    }
    core.commit(commit).await
}
