//! How long a page of a list takes, with everything in the store that the rounds left there.

use std::time::Instant;

use mcpanel_domain::{Name, Namespace, PipelineId, task::Status};
use mcpanel_store::{
    Result, Store,
    query::{Page, TaskFilter},
};

use super::report::PageTime;

/// Tasks on a page.
const PAGE: usize = 50;

/// Each is asked so often; the slowest counts.
const REPEATS: u32 = 5;

/// Asks for pages with filters that match all, few and none.
pub async fn measure(store: &dyn Store) -> Result<Vec<PageTime>> {
    let base = TaskFilter::default;
    let questions = [
        ("newest", base()),
        (
            "completed",
            TaskFilter {
                statuses: vec![Status::Completed],
                ..base()
            },
        ),
        (
            "failed (none)",
            TaskFilter {
                statuses: vec![Status::Failed],
                ..base()
            },
        ),
        (
            "of a type",
            TaskFilter {
                task_type: Name::parse("benchmark").ok(),
                ..base()
            },
        ),
        (
            "of a type and a stage (none)",
            TaskFilter {
                task_type: Name::parse("benchmark").ok(),
                stage: Some(3),
                ..base()
            },
        ),
        (
            "of a pipeline (none)",
            TaskFilter {
                pipeline_id: PipelineId::parse("pipe_none").ok(),
                ..base()
            },
        ),
    ];
    let mut times = Vec::new();
    for (what, filter) in questions {
        let mut slowest_ms: f64 = 0.0;
        for _ in 0..REPEATS {
            slowest_ms = slowest_ms.max(ask(store, &filter).await?);
        }
        times.push(PageTime { what, slowest_ms });
    }
    Ok(times)
}

/// The slower of the first page and, from its cursor, the one after it.
async fn ask(store: &dyn Store, filter: &TaskFilter) -> Result<f64> {
    let mut after = None;
    let mut slower_ms: f64 = 0.0;
    for _ in 0..2 {
        let page = Page { after, limit: PAGE };
        let begun = Instant::now();
        let listing = store
            .list_tasks(&Namespace::default_namespace(), filter, &page)
            .await?;
        slower_ms = slower_ms.max(begun.elapsed().as_secs_f64() * 1_000.0);
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    Ok(slower_ms)
}
