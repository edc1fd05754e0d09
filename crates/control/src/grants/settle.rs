//! Writing grants that outlived a short task.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{Namespace, TaskId};
use mcpanel_store::{Commit, Grant, Write};

use super::assignment;
use crate::{Result, core::Core};

/// Grants written by one round: some milliseconds of a transaction.
const BATCH: usize = 500;

/// Writes the assignments that are old enough into their documents; tells whether there may be more.
pub(crate) async fn settle(core: &Core) -> Result<bool> {
    let Some(grants) = core.store.grants() else {
        return Ok(false);
    };
    let ripe = grants.ripe(BATCH).await;
    let more = ripe.len() >= BATCH;
    let mut by_namespace: BTreeMap<Namespace, Vec<Grant>> = BTreeMap::new();
    for (namespace, grant) in ripe {
        by_namespace.entry(namespace).or_default().push(grant);
    }
    for (namespace, grants) in by_namespace {
        match write(core, &namespace, &grants).await {
            Err(error) if error.conflict().is_some() => {
                for grant in &grants {
                    match write(core, &namespace, std::slice::from_ref(grant)).await {
                        // It moved on just now: the next round finds the grant void.
                        Err(error) if error.conflict().is_some() => {}
                        outcome => outcome?,
                    }
                }
            }
            outcome => outcome?,
        }
    }
    Ok(more)
}

async fn write(core: &Core, namespace: &Namespace, grants: &[Grant]) -> Result<()> {
    let ids: Vec<TaskId> = grants.iter().map(|grant| grant.task_id.clone()).collect();
    let documents = core.store.tasks(namespace, &ids).await?;
    let mut commit = Commit::default();
    let mut void = Vec::new();
    for (grant, document) in grants.iter().zip(documents) {
        let decision = document
            .filter(|document| grant.holds(document))
            .and_then(|document| assignment(&document, grant));
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
    if let Some(remembered) = core.store.grants().filter(|_| !void.is_empty()) {
        remembered.drop_void(namespace, &void).await;
    }
    if commit.is_empty() {
        return Ok(());
    }
    core.commit(commit).await
}
