//! Lists: newest first, filtered, a page at a time.

use std::{collections::BTreeSet, sync::Arc};

use mcpanel_domain::{
    ArtifactId, Payload,
    artifact::Artifact,
    task::{State, Status, Task},
};

use super::{
    Backend, World,
    pages::all_pages,
    world::{agent_id, name, pipeline_id, task_id},
};
use crate::{
    Commit, Write,
    query::{ArtifactFilter, Listing, Page, Position, TaskFilter},
};

fn page(limit: usize) -> Page {
    Page { after: None, limit }
}

fn ids(listing: &Listing<Arc<Task>>) -> Vec<&str> {
    listing.items.iter().map(|task| task.id.as_str()).collect()
}

async fn all<B: Backend>(world: &World<B>, filter: &TaskFilter) -> Vec<String> {
    let listing = world.list_tasks(&world.ns, filter, &page(1_000)).await;
    let listing = listing.unwrap();
    assert!(listing.next.is_none());
    ids(&listing).into_iter().map(str::to_owned).collect()
}

/// The ids on all pages.
pub(super) async fn walk<B: Backend>(
    world: &World<B>,
    filter: &TaskFilter,
    limit: usize,
) -> Vec<String> {
    let list = async |page: Page| world.list_tasks(&world.ns, filter, &page).await.unwrap();
    let seen = all_pages(limit, list).await;
    seen.iter().map(|task| task.id.to_string()).collect()
}

/// By time, and by id where times are equal.
pub async fn newest_first_with_ids_for_equal_times<B: Backend>() {
    let world = World::<B>::open().await;
    world.create_all(&["m", "z", "a"]).await;
    world.clock.advance(1);
    world.create_all(&["b"]).await;
    assert_eq!(
        all(&world, &TaskFilter::default()).await,
        ["b", "z", "m", "a"]
    );
}

/// Every task once, whatever the page size, also with many of the same millisecond.
pub async fn pages_neither_lose_nor_repeat<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..60 {
        let task = world.task(&format!("t{n:02}"));
        world.create(&task).await;
        match n % 4 {
            0 => world.end(&task, State::Completed).await,
            1 => world.end(&task, State::Failed).await,
            _ => task,
        };
        if n % 10 == 9 {
            world.clock.advance(1);
        }
    }
    let filter = TaskFilter::default();
    let whole = all(&world, &filter).await;
    assert_eq!(whole.len(), 60);
    for limit in [1, 7, 10, 59, 60, 61] {
        assert_eq!(walk(&world, &filter, limit).await, whole, "limit {limit}");
    }
    let world = world.restart().await;
    assert_eq!(walk(&world, &filter, 7).await, whole);
}

/// Each condition narrows the list.
pub async fn filters_all_hold_together<B: Backend>() {
    let world = World::<B>::open().await;
    let mut expected = BTreeSet::new();
    for n in 0..32_u32 {
        let mut task = if n & 1 == 0 {
            world.stage_task("pipe_1", 1 + (n & 2) as u16, n)
        } else {
            world.task(&format!("t{n:02}"))
        };
        if n & 4 == 0 {
            task.task_type = name("other");
        }
        if n & 8 == 0 {
            task.target = Some(agent_id("chosen"));
        }
        world.create(&task).await;
        let task = world
            .assign(&task, if n & 16 == 0 { "first" } else { "second" }, "s")
            .await;
        if n % 3 == 0 {
            world.end(&task, State::Completed).await;
        }
        expected.insert(task.id.to_string());
    }
    let pipeline = Some(pipeline_id("pipe_1"));
    let base = TaskFilter::default();
    let filters = [
        TaskFilter {
            pipeline_id: pipeline.clone(),
            ..base.clone()
        },
        TaskFilter {
            pipeline_id: pipeline.clone(),
            stage: Some(3),
            ..base.clone()
        },
        TaskFilter {
            stage: Some(1),
            ..base.clone()
        },
        TaskFilter {
            task_type: Some(name("other")),
            ..base.clone()
        },
        TaskFilter {
            agent_id: Some(agent_id("chosen")),
            ..base.clone()
        },
        TaskFilter {
            agent_id: Some(agent_id("second")),
            task_type: Some(name("other")),
            pipeline_id: pipeline,
            ..base.clone()
        },
        TaskFilter {
            statuses: vec![Status::Completed],
            task_type: Some(name("work")),
            ..base
        },
    ];
    let world = world.restart().await;
    for filter in &filters {
        let asked: Vec<_> = expected.iter().map(|id| task_id(id)).collect();
        let tasks = world.tasks(&world.ns, &asked).await.unwrap();
        let mut wanted: Vec<String> = tasks
            .iter()
            .flatten()
            .filter(|task| filter.matches(task))
            .map(|task| task.id.to_string())
            .collect();
        wanted.sort_by(|a, b| b.cmp(a));
        assert!(!wanted.is_empty(), "{filter:?} is worth asking");
        assert_eq!(all(&world, filter).await, wanted, "{filter:?}");
        assert_eq!(walk(&world, filter, 3).await, wanted, "{filter:?}");
    }
}

/// Any of the statuses asked for, whether they are of live or ended tasks.
pub async fn statuses_live_and_ended_mix<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c", "d"]).await;
    world.end(&tasks[0], State::Completed).await;
    world.end(&tasks[1], State::Failed).await;
    world.end(&tasks[2], State::Cancelled).await;
    let world = world.restart().await;
    let of = |statuses: &[Status]| TaskFilter {
        statuses: statuses.to_vec(),
        ..TaskFilter::default()
    };
    assert_eq!(
        all(&world, &of(&[Status::Pending, Status::Failed])).await,
        ["d", "b"]
    );
    assert_eq!(
        all(&world, &of(&[Status::Cancelled, Status::Completed])).await,
        ["c", "a"]
    );
    assert_eq!(all(&world, &of(&[Status::Running])).await, [""; 0]);
}

/// From a moment on, and before another.
pub async fn created_bounds_cut<B: Backend>() {
    let world = World::<B>::open().await;
    let mut times = Vec::new();
    for n in 0..6 {
        let task = world.task(&format!("t{n}"));
        world.create(&task).await;
        if n % 2 == 0 {
            world.end(&task, State::Completed).await;
        }
        times.push(world.clock.now());
        world.clock.advance(10);
    }
    let filter = TaskFilter {
        created_from: Some(times[1]),
        created_before: Some(times[4]),
        ..TaskFilter::default()
    };
    assert_eq!(all(&world, &filter).await, ["t3", "t2", "t1"]);
    let world = world.restart().await;
    assert_eq!(walk(&world, &filter, 1).await, ["t3", "t2", "t1"]);
}

/// While tasks end and new ones come, a reader of pages sees each that was there all the time.
pub async fn a_task_that_moves_on_stays_on_its_page<B: Backend>() {
    let world = World::<B>::open().await;
    let mut tasks = Vec::new();
    for n in 0..200 {
        let task = world.task(&format!("old{n:03}"));
        world.create(&task).await;
        tasks.push(task);
    }
    world.clock.advance(1);
    let store = world.shared();
    let fresh: Vec<Task> = (0..200)
        .map(|n| world.task(&format!("new{n:03}")))
        .collect();
    let writer = tokio::spawn(async move {
        for (old, fresh) in tasks.iter().zip(&fresh) {
            let ended = super::step(old, |task| task.state = State::Completed);
            let commit =
                Commit::of(super::world::changed_task(&ended)).with(super::world::new_task(fresh));
            store.commit(commit).await.unwrap();
        }
    });
    for _ in 0..10 {
        let seen = walk(&world, &TaskFilter::default(), 17).await;
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "a task was repeated");
        let old = seen.iter().filter(|id| id.starts_with("old")).count();
        assert_eq!(old, 200, "a task was lost");
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

/// Artifacts by pipeline, stage, task and role.
pub async fn artifacts_by_what_made_them<B: Backend>() {
    let world = World::<B>::open().await;
    for n in 0..12_u16 {
        let artifact = Artifact {
            id: ArtifactId::parse(&format!("art_{n:02}")).unwrap(),
            namespace: world.ns.clone(),
            revision: 1,
            pipeline_id: (n % 2 == 0).then(|| pipeline_id("pipe_1")),
            stage: (n % 3 == 0).then_some(n),
            task_id: (n % 4 == 0).then(|| task_id("a")),
            attempt: None,
            index: 0,
            name: "data.csv".to_owned(),
            role: if n < 6 { "chunk" } else { "input" }.to_owned(),
            media_type: "text/csv".to_owned(),
            size_bytes: 1,
            sha256: String::new(),
            records: None,
            metadata: Payload::empty(),
            created_at: world.clock.now(),
            created_by: "tester".to_owned(),
        };
        let commit = Commit::of(Write::Artifact(Arc::new(artifact)));
        world.commit(commit).await.unwrap();
    }
    let base = ArtifactFilter::default();
    let cases = [
        (base.clone(), 12),
        (
            ArtifactFilter {
                pipeline_id: Some(pipeline_id("pipe_1")),
                stage: Some(None),
                ..base.clone()
            },
            4,
        ),
        (
            ArtifactFilter {
                stage: Some(Some(6)),
                ..base.clone()
            },
            1,
        ),
        (
            ArtifactFilter {
                task_id: Some(task_id("a")),
                role: Some("chunk".to_owned()),
                ..base.clone()
            },
            2,
        ),
        (
            ArtifactFilter {
                role: Some("input".to_owned()),
                ..base
            },
            6,
        ),
    ];
    let mut world = world;
    for _ in 0..2 {
        for (filter, expected) in &cases {
            let listing = world.list_artifacts(&world.ns, filter, &page(100)).await;
            assert_eq!(listing.unwrap().items.len(), *expected, "{filter:?}");
        }
        world = world.restart().await;
    }
}

/// A cursor is compared, never looked up: it may name what is not there.
pub async fn a_strange_cursor_is_only_a_place<B: Backend>() {
    let world = World::<B>::open().await;
    let tasks = world.create_all(&["a", "b", "c"]).await;
    world.end(&tasks[1], State::Completed).await;
    for (id, expected) in [
        ("bb", vec!["b", "a"]),
        ("", vec![]),
        ("../../etc", vec![]),
        ("~", vec!["c", "b", "a"]),
        ("\u{10ffff}", vec!["c", "b", "a"]),
    ] {
        let page = Page {
            after: Some(Position {
                created_at: world.clock.now(),
                id: id.to_owned(),
            }),
            limit: 10,
        };
        let listing = world
            .list_tasks(&world.ns, &TaskFilter::default(), &page)
            .await
            .unwrap();
        assert_eq!(ids(&listing), expected, "after {id:?}");
    }
}
