//! Forgetting operations that ended long ago. What they did stays: in the tasks, and in the log of events.

use mcpanel_domain::{
    Namespace, Timestamp,
    limits::IDEMPOTENCY_KEPT_MS,
    operation::{Operation, Status},
};
use mcpanel_store::{
    Commit, Write,
    query::{OperationFilter, Page, Position},
};

use crate::{Result, core::Core};

/// How long an operation is kept after its creation once it has ended, in milliseconds: thirty days, within which
/// people ask who cancelled all that.
pub(crate) const OPERATIONS_KEPT_MS: u64 = 30 * 24 * 3_600_000;

/// Ended operations kept in a namespace, the newest ones: twenty pages of them. Those of the last day are kept
/// whatever their number, because an idempotent request may ask for its answer again.
pub(crate) const OPERATIONS_KEPT: usize = 1_000;

/// How often old operations are looked for, in milliseconds: each look reads a few pages of the list.
const LOOK_INTERVAL_MS: u64 = 3_600_000;

/// Operations forgotten by one commit.
const FORGOTTEN_AT_ONCE: usize = 100;

/// Commits of one look in one namespace; what is left then is found by the next look.
const COMMITS_PER_LOOK: usize = 100;

/// When this instance looks for old operations again.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    not_before: Timestamp,
}

/// Forgets what is old, if it is time to look; tells how many.
pub(crate) async fn forget_old(core: &Core) -> Result<usize> {
    let now = core.now();
    {
        let mut retention = core.retention.lock();
        // A clock that was wrong must not put this off for ever.
        let wait = retention.not_before.ms_since(now);
        if (1..=LOOK_INTERVAL_MS).contains(&wait) {
            return Ok(0);
        }
        retention.not_before = now.plus_ms(LOOK_INTERVAL_MS);
    }
    let mut forgotten = 0;
    for namespace in core.store.namespaces().await? {
        let oldest = oldest_kept(core, &namespace, now).await?;
        for _ in 0..COMMITS_PER_LOOK {
            let found = forget(core, &namespace, &oldest).await?;
            forgotten += found;
            if found < FORGOTTEN_AT_ONCE {
                break;
            }
        }
    }
    Ok(forgotten)
}

/// The place in the list of ended operations behind which all are old.
async fn oldest_kept(core: &Core, namespace: &Namespace, now: Timestamp) -> Result<Position> {
    let before = |age| Position {
        created_at: now.minus_ms(age),
        id: String::new(),
    };
    let by_age = before(OPERATIONS_KEPT_MS);
    let by_number = last_of_the_newest(core, namespace).await?;
    let oldest = by_number.map_or(by_age.clone(), |by_number| by_number.max(by_age));
    Ok(oldest.min(before(IDEMPOTENCY_KEPT_MS)))
}

/// The place of the last one that is kept for being among the newest, if there are so many.
async fn last_of_the_newest(core: &Core, namespace: &Namespace) -> Result<Option<Position>> {
    let mut page = Page::first(OPERATIONS_KEPT);
    // A page may be shorter than asked for.
    while page.limit > 0 {
        let listing = core
            .store
            .list_operations(namespace, &ended(), &page)
            .await?;
        page.limit -= listing.items.len().min(page.limit);
        page.after = listing.next;
        if page.after.is_none() {
            break;
        }
    }
    Ok(page.after)
}

/// Forgets some that come after this place; tells how many there were.
async fn forget(core: &Core, namespace: &Namespace, oldest: &Position) -> Result<usize> {
    let page = Page {
        after: Some(oldest.clone()),
        limit: FORGOTTEN_AT_ONCE,
    };
    let old = core
        .store
        .list_operations(namespace, &ended(), &page)
        .await?;
    if old.items.is_empty() {
        return Ok(0);
    }
    let delete = |operation: &Operation| Write::DeleteOperation {
        namespace: operation.namespace.clone(),
        id: operation.id.clone(),
        revision: operation.revision,
    };
    let commit = Commit {
        writes: old.items.iter().map(|each| delete(each)).collect(),
        ..Commit::default()
    };
    match core.commit(commit).await {
        Ok(()) => Ok(old.items.len()),
        // Another instance is at it.
        Err(error) if error.conflict().is_some() => Ok(0),
        Err(error) => Err(error),
    }
}

fn ended() -> OperationFilter {
    let all = Status::ALL.into_iter();
    OperationFilter {
        statuses: all.filter(|status| status.is_terminal()).collect(),
    }
}
