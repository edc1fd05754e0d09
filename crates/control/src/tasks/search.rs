//! Finding tasks by a text in what they say.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, TaskId,
    operation::Matched,
    task::{Needle, Search, Task},
};
use mcpanel_store::query::{Listing, Page, Position};

use super::{TaskManager, TaskView};
use crate::{Result, Scope, core::Core, search::Looks};

impl TaskManager {
    /// A page of the tasks that a search finds, with their payloads, newest first. With a text it may be shorter than
    /// asked for, or empty, and still not be the last: `next` tells how far back it looked.
    pub async fn search(
        &self,
        scope: &Scope,
        search: &Search,
        page: &Page,
    ) -> Result<Listing<TaskView>> {
        let listing = find(&self.core, &scope.namespace, search, page).await?;
        Ok(Listing {
            items: self.with_payloads(scope, listing.items).await?,
            next: listing.next,
        })
    }

    /// A page of the tasks that a search finds, without their payloads.
    pub async fn search_heads(
        &self,
        scope: &Scope,
        search: &Search,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        find(&self.core, &scope.namespace, search, page).await
    }

    /// How many tasks a search finds, counted up to `cap`. With a text, counting ends after a while, as a page does.
    pub async fn count(&self, scope: &Scope, search: &Search, cap: u64) -> Result<Matched> {
        count(&self.core, &scope.namespace, search, cap).await
    }
}

/// A page of the tasks that a search finds.
pub(crate) async fn find(
    core: &Core,
    namespace: &Namespace,
    search: &Search,
    page: &Page,
) -> Result<Listing<Arc<Task>>> {
    let Some(text) = &search.text else {
        return Ok(core
            .store
            .list_tasks(namespace, &search.filter, page)
            .await?);
    };
    let needle = Needle::new(text);
    let mut looks = Looks::begin(core, page);
    let mut items = Vec::new();
    loop {
        let listing = core
            .store
            .list_tasks(namespace, &search.filter, looks.page())
            .await?;
        let hits = hits(core, namespace, &needle, &listing.items).await?;
        for (task, _) in listing.items.iter().zip(hits).filter(|(_, hit)| *hit) {
            items.push(task.clone());
            if items.len() >= page.limit {
                let next = Some(position(task));
                return Ok(Listing { items, next });
            }
        }
        if looks.end_after(listing.items.len(), listing.next.as_ref()) {
            let next = listing.next;
            return Ok(Listing { items, next });
        }
    }
}

/// How many tasks a search finds, counted up to `cap`.
pub(crate) async fn count(
    core: &Core,
    namespace: &Namespace,
    search: &Search,
    cap: u64,
) -> Result<Matched> {
    if search.text.is_none() {
        // One more than asked for tells whether there are more.
        let beyond = cap.saturating_add(1);
        let counted = core
            .store
            .count_tasks(namespace, &search.filter, beyond)
            .await?;
        return Ok(Matched {
            tasks: counted.min(cap),
            more: counted > cap,
        });
    }
    let page = Page::first(usize::try_from(cap).unwrap_or(usize::MAX));
    let listing = find(core, namespace, search, &page).await?;
    Ok(Matched {
        tasks: u64::try_from(listing.items.len()).unwrap_or(u64::MAX),
        more: listing.next.is_some(),
    })
}

/// Which of these tasks say it. Parameters are read only where the task itself does not.
async fn hits(
    core: &Core,
    namespace: &Namespace,
    needle: &Needle,
    tasks: &[Arc<Task>],
) -> Result<Vec<bool>> {
    let mut hits: Vec<bool> = tasks.iter().map(|task| needle.is_in_task(task)).collect();
    let (places, ids): (Vec<usize>, Vec<TaskId>) = tasks
        .iter()
        .enumerate()
        .filter(|(at, _)| !hits[*at])
        .map(|(at, task)| (at, task.id.clone()))
        .unzip();
    let payloads = core.store.payloads(namespace, &ids).await?;
    for (at, payloads) in places.into_iter().zip(payloads) {
        hits[at] = payloads.is_some_and(|found| needle.is_in_payload(&found.parameters));
    }
    Ok(hits)
}

/// A task's place in lists.
pub(crate) fn position(task: &Task) -> Position {
    Position {
        created_at: task.created_at,
        id: task.id.to_string(),
    }
}
