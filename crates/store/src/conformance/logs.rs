//! The lines that agents write about their tasks.

use mcpanel_domain::{
    limits::LOG_LINES_KEPT,
    log::{Level, Line},
    task::State,
};

use super::{
    Backend, World,
    world::{conflict, new_task, task_id},
};
use crate::{Commit, Write};

fn lines<B: Backend>(world: &World<B>, id: &str, messages: &[String]) -> Write {
    Write::Logs {
        namespace: world.ns.clone(),
        task_id: task_id(id),
        lines: messages
            .iter()
            .map(|message| Line {
                seq: 0,
                at: world.clock.now(),
                attempt: 1,
                level: Level::Info,
                message: message.clone(),
            })
            .collect(),
    }
}

fn messages(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| format!("line {n}")).collect()
}

/// Numbers from 1, over several commits and restarts.
pub async fn lines_are_numbered_and_paged<B: Backend>() {
    let world = World::<B>::open().await;
    let task = world.task("a");
    let commit = Commit::of(new_task(&task)).with(lines(&world, "a", &messages(1..4)));
    world.commit(commit).await.unwrap();
    world
        .commit(Commit::of(lines(&world, "a", &messages(4..6))))
        .await
        .unwrap();
    let world = world.restart().await;
    world
        .commit(Commit::of(lines(&world, "a", &messages(6..9))))
        .await
        .unwrap();
    world.end(&task, State::Completed).await;
    let id = task_id("a");
    let all = world.logs(&world.ns, &id, 0, 100).await.unwrap();
    for (line, n) in all.iter().zip(1..) {
        assert_eq!(
            (line.seq, line.message.as_str()),
            (n, &*format!("line {n}"))
        );
    }
    assert_eq!(all.len(), 8);
    for (after, limit, expected) in [
        (0, 2, vec![1, 2]),
        (2, 3, vec![3, 4, 5]),
        (4, 100, vec![5, 6, 7, 8]),
        (8, 100, vec![]),
        (u64::MAX, 100, vec![]),
    ] {
        let page = world.logs(&world.ns, &id, after, limit).await.unwrap();
        let numbers: Vec<u64> = page.iter().map(|line| line.seq).collect();
        assert_eq!(numbers, expected, "after {after}");
    }
    let none = world.logs(&world.ns, &task_id("b"), 0, 10).await.unwrap();
    assert!(none.is_empty());
}

/// Older lines make room; numbers go on.
pub async fn only_the_newest_are_kept<B: Backend>() {
    let world = World::<B>::open().await;
    world.create_all(&["a"]).await;
    let chunk = LOG_LINES_KEPT / 2 + 10;
    for n in 0..3 {
        let part = messages(n * chunk + 1..(n + 1) * chunk + 1);
        world
            .commit(Commit::of(lines(&world, "a", &part)))
            .await
            .unwrap();
    }
    let mut world = world;
    for _ in 0..2 {
        let limit = usize::MAX;
        let kept = world.logs(&world.ns, &task_id("a"), 0, limit).await;
        let kept = kept.unwrap();
        assert_eq!(kept.len() as u64, LOG_LINES_KEPT);
        assert_eq!(kept.last().unwrap().seq, 3 * chunk);
        assert_eq!(kept[0].seq, 3 * chunk - LOG_LINES_KEPT + 1);
        world = world.restart().await;
    }
}

/// No lines for a task that does not exist.
pub async fn a_log_needs_its_task<B: Backend>() {
    let world = World::<B>::open().await;
    let commit = Commit::of(lines(&world, "nobody", &messages(1..2)));
    let found = conflict(world.commit(commit).await);
    assert_eq!((found.what, found.found), ("task", 0));
    let task = world.create_all(&["a"]).await.remove(0);
    world.end(&task, State::Completed).await;
    let world = world.restart().await;
    world
        .commit(Commit::of(lines(&world, "a", &messages(1..2))))
        .await
        .unwrap();
}
