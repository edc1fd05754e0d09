//! Tasks by id, their payloads and their logs.

use std::sync::Arc;

use mcpanel_domain::{Namespace, TaskId, limits::LOG_LINES_KEPT, log::Line, task::Task};
use mcpanel_store::{Key, Result, query::Payloads};

use super::{off_thread, with_tables};
use crate::{limits::INLINE_READS_MAX, shared::Shared, state::State};

/// Tasks by id, in the order asked.
pub async fn tasks(
    shared: &Arc<Shared>,
    namespace: &Namespace,
    ids: &[TaskId],
) -> Result<Vec<Option<Arc<Task>>>> {
    let found = {
        let state = shared.state.lock();
        ids.iter()
            .map(|id| state.task(&(namespace.clone(), id.clone())).cloned())
            .collect()
    };
    complete(shared, namespace, ids, found, |shared, namespace, id| {
        with_tables(shared, |read| {
            let task: Option<Task> = read.document(namespace, id.as_str())?;
            Ok(task.map(Arc::new))
        })
    })
    .await
}

/// Payloads of tasks, in the order asked.
pub async fn payloads(
    shared: &Arc<Shared>,
    namespace: &Namespace,
    ids: &[TaskId],
) -> Result<Vec<Option<Payloads>>> {
    let found = {
        let state = shared.state.lock();
        ids.iter()
            .map(|id| {
                let (parameters, result, whole) = state.payloads(&(namespace.clone(), id.clone()));
                whole
                    .then(|| State::join_payloads(parameters, result))
                    .flatten()
            })
            .collect()
    };
    complete(shared, namespace, ids, found, payloads_of).await
}

/// The payloads of one task that memory does not have whole.
fn payloads_of(shared: &Shared, namespace: &Namespace, id: &TaskId) -> Result<Option<Payloads>> {
    let key = (namespace.clone(), id.clone());
    let (parameters, result, _) = shared.state.lock().payloads(&key);
    let stored = with_tables(shared, |read| read.payloads(namespace, id))?;
    Ok(match stored {
        Some(stored) => Some(Payloads {
            parameters: parameters.unwrap_or(stored.parameters),
            result: result.or(stored.result),
        }),
        None => State::join_payloads(parameters, result),
    })
}

/// Log lines of a task with a number above `after`, oldest first.
pub fn logs(
    shared: &Shared,
    namespace: &Namespace,
    id: &TaskId,
    after: u64,
    limit: usize,
) -> Result<Vec<Line>> {
    let key: Key<TaskId> = (namespace.clone(), id.clone());
    let recent = shared.state.lock().lines(&key);
    let (end, missing) = match (recent.first(), recent.last()) {
        (Some(first), Some(last)) => (last.seq, after < first.seq - 1),
        _ => (0, true),
    };
    let mut lines = Vec::new();
    let mut end = end;
    if missing {
        let first_recent = recent.first().map_or(u64::MAX, |line| line.seq);
        with_tables(shared, |read| {
            if end == 0 {
                end = read.log_end(namespace, id)?;
            }
            let after = after.max(end.saturating_sub(LOG_LINES_KEPT));
            lines = read.lines(namespace, id, after, limit)?;
            lines.retain(|line| line.seq < first_recent);
            Ok(())
        })?;
    }
    let after = after.max(end.saturating_sub(LOG_LINES_KEPT));
    lines.extend(recent.into_iter().filter(|line| line.seq > after));
    lines.truncate(limit);
    Ok(lines)
}

/// Fills what memory did not have from the tables: a few on this thread, many on one that may wait.
async fn complete<T: Send + 'static>(
    shared: &Arc<Shared>,
    namespace: &Namespace,
    ids: &[TaskId],
    mut found: Vec<Option<T>>,
    ask: fn(&Shared, &Namespace, &TaskId) -> Result<Option<T>>,
) -> Result<Vec<Option<T>>> {
    let missing: Vec<(usize, TaskId)> = found
        .iter()
        .zip(ids)
        .enumerate()
        .filter(|(_, (found, _))| found.is_none())
        .map(|(at, (_, id))| (at, id.clone()))
        .collect();
    if missing.len() <= INLINE_READS_MAX {
        for (at, id) in missing {
            found[at] = ask(shared, namespace, &id)?;
        }
        return Ok(found);
    }
    let shared = shared.clone();
    let namespace = namespace.clone();
    let read = off_thread(move || {
        missing
            .into_iter()
            .map(|(at, id)| Ok((at, ask(&shared, &namespace, &id)?)))
            .collect::<Result<Vec<_>>>()
    })
    .await?;
    for (at, value) in read {
        found[at] = value;
    }
    Ok(found)
}
