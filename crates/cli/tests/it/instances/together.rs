//! Ten instances that start at once.

use mcpanel_api::task::TaskQuery;

use super::{Shared, admin, create};

/// How many start together.
const INSTANCES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_instances_start_together_over_nothing() {
    let Some(shared) = Shared::find(1) else {
        return;
    };
    let begun: Vec<_> = (0..INSTANCES)
        .map(|number| shared.plan(&format!("instance {number}")).start().unwrap())
        .collect();
    for instance in &begun {
        tokio::task::block_in_place(|| instance.ready()).unwrap();
    }
    let mut made = Vec::new();
    for instance in &begun {
        made.push(create(&admin(instance), "work").await.unwrap());
    }
    made.sort();
    for instance in &begun {
        let page = admin(instance).list_tasks(&TaskQuery::default()).await;
        let mut seen: Vec<_> = page
            .unwrap()
            .tasks
            .into_iter()
            .map(|task| task.task_id)
            .collect();
        seen.sort();
        assert_eq!(seen, made, "each sees what all created");
    }
}
