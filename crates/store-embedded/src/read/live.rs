//! Tasks in memory that belong on a page: those that have not ended, and those that changed just now.

use std::sync::Arc;

use mcpanel_domain::{TaskId, Timestamp, task::Task};
use mcpanel_store::query::{Page, TaskFilter};

use super::lists::{Query, Source};
use crate::{limits::WALK_CHUNK, recent::Recent};

/// The tasks on the page, or after it, that changed since the tables were written.
pub(super) fn changed(query: &Query<'_, Task>) -> Vec<Arc<Task>> {
    let wanted = |recent: &Recent| -> Vec<Arc<Task>> {
        let tasks = recent.tasks.iter();
        query.matching(
            tasks
                .filter(|(key, _)| key.0 == *query.source.namespace)
                .map(|(_, changed)| changed.task.clone()),
        )
    };
    let (mut found, frozen) = {
        let state = query.source.shared.state.lock();
        (wanted(&state.active), state.frozen.clone())
    };
    if let Some(frozen) = frozen {
        let older = wanted(&frozen);
        let state = query.source.shared.state.lock();
        for task in older {
            let key = (query.source.namespace.clone(), task.id.clone());
            let newest = state.active.tasks.get(&key).map(|changed| &changed.task);
            found.extend(query.matching(std::iter::once(newest.cloned().unwrap_or(task))));
        }
    }
    found
}

/// The live tasks that belong on the page, and one more. The lock is let go now and then: what
/// is created meanwhile is newer than where the walk is, and nothing leaves memory while a list is read.
pub(super) fn walk(source: &Source<'_>, filter: &TaskFilter) -> Vec<Arc<Task>> {
    let Source {
        shared,
        namespace,
        page,
    } = *source;
    let mut found = Vec::new();
    if !filter.admits_live() {
        return found;
    }
    if filter.only_held() {
        return held(source, filter);
    }
    let Some(mut bound) = first_bound(filter, page) else {
        return found;
    };
    loop {
        let state = shared.state.lock();
        let Some(order) = state.order.get(namespace) else {
            return found;
        };
        let mut looked = 0;
        let mut reached = None;
        for key in order.range(..bound.clone()).rev().take(WALK_CHUNK) {
            looked += 1;
            if filter.created_from.is_some_and(|from| key.0 < from) {
                return found;
            }
            let wanted = state
                .task(&(namespace.clone(), key.1.clone()))
                .filter(|task| filter.matches(task))
                .filter(|task| page.admits(task.created_at, task.id.as_str()));
            found.extend(wanted.cloned());
            if found.len() > page.limit {
                return found;
            }
            reached = Some(key.clone());
        }
        match reached {
            Some(key) if looked == WALK_CHUNK => bound = key,
            _ => return found,
        }
    }
}

/// The tasks in agents' hands that belong on the page or after it: as many as there are leases, which are far
/// fewer than waiting tasks.
fn held(source: &Source<'_>, filter: &TaskFilter) -> Vec<Arc<Task>> {
    let state = source.shared.state.lock();
    let tasks = state.hot.held_tasks(source.namespace);
    tasks
        .filter(|task| filter.matches(task))
        .filter(|task| source.page.admits(task.created_at, task.id.as_str()))
        .cloned()
        .collect()
}

/// Where a walk begins: everything on the page is below it.
fn first_bound(filter: &TaskFilter, page: &Page) -> Option<(Timestamp, TaskId)> {
    // No id sorts before a lone hyphen.
    let lowest = TaskId::parse("-").ok()?;
    let after = page.after.as_ref().map(|after| {
        // A cursor may name anything; the walk itself compares exactly.
        TaskId::parse(&after.id).map_or_else(
            |_| (after.created_at.plus_ms(1), lowest.clone()),
            |id| (after.created_at, id),
        )
    });
    let before = filter.created_before.map(|before| (before, lowest.clone()));
    let end = (Timestamp::MAX, highest()?);
    [after, before, Some(end)].into_iter().flatten().min()
}

/// The id that no other sorts after.
fn highest() -> Option<TaskId> {
    TaskId::parse(&"z".repeat(mcpanel_domain::limits::ID_CHARS_MAX)).ok()
}
