//! Operations that ended long ago are forgotten.

use std::sync::Arc;

use mcpanel_domain::{
    OperationId,
    limits::IDEMPOTENCY_KEPT_MS,
    operation::{Kind, Matched, Operation, Status},
    task::Search,
};
use mcpanel_store::{
    Commit, Store, Write,
    query::{OperationFilter, Page},
};

use crate::{
    operations::{OPERATIONS_KEPT, OPERATIONS_KEPT_MS},
    tests::world::World,
};

const DAY_MS: u64 = 24 * 3_600_000;

impl World {
    /// Stores an operation that is created now.
    async fn operation_of_now(&self, id: &str, status: Status) {
        let operation = Operation {
            id: OperationId::parse(id).unwrap(),
            namespace: self.scope.namespace.clone(),
            revision: 1,
            kind: Kind::Retry,
            search: Search::default(),
            status,
            matched: Matched::default(),
            done: 0,
            skipped: 0,
            failed: 0,
            cursor: None,
            reason: None,
            error: None,
            created_by: "tests".to_owned(),
            created_at: self.now(),
            updated_at: self.now(),
            completed_at: status.is_terminal().then(|| self.now()),
        };
        let commit = Commit::of(Write::Operation(Arc::new(operation)));
        self.store.commit(commit).await.unwrap();
    }

    /// The operations that are left, newest first.
    async fn operations_left(&self) -> Vec<String> {
        let page = Page::first(10_000);
        let filter = OperationFilter::default();
        let found = self
            .store
            .list_operations(&self.scope.namespace, &filter, &page);
        let found = found.await.unwrap().items;
        found.iter().map(|each| each.id.to_string()).collect()
    }
}

#[tokio::test]
async fn ended_ones_are_kept_for_a_while_and_running_ones_as_long_as_they_run() {
    let world = World::new();
    world.task("a", "read").await;
    world.operation_of_now("op_old", Status::Completed).await;
    world.operation_of_now("op_runs", Status::Running).await;
    world.skip(2 * DAY_MS);
    world.operation_of_now("op_newer", Status::Failed).await;
    world.skip(OPERATIONS_KEPT_MS - 2 * DAY_MS);
    world.control.sweep().await.unwrap();
    assert_eq!(
        world.operations_left().await,
        ["op_newer", "op_runs", "op_old"]
    );
    world.skip(DAY_MS);
    world.control.sweep().await.unwrap();
    assert_eq!(world.operations_left().await, ["op_newer", "op_runs"]);
    world.skip(2 * DAY_MS);
    world.control.sweep().await.unwrap();
    assert_eq!(world.operations_left().await, ["op_runs"]);
}

#[tokio::test]
async fn of_many_the_newest_are_kept_and_all_of_the_last_day() {
    let world = World::new();
    world.task("a", "read").await;
    let excess = 250;
    for n in 0..OPERATIONS_KEPT + excess {
        let id = format!("op_{n:05}");
        world.operation_of_now(&id, Status::Aborted).await;
    }
    world.control.sweep().await.unwrap();
    assert_eq!(
        world.operations_left().await.len(),
        OPERATIONS_KEPT + excess
    );
    world.skip(IDEMPOTENCY_KEPT_MS + 1);
    world.control.sweep().await.unwrap();
    let left = world.operations_left().await;
    assert_eq!(left.len(), OPERATIONS_KEPT);
    assert_eq!(left.last().unwrap(), &format!("op_{excess:05}"));
}
