//! An instance and its Redis, which may forget or be away: nothing is lost, and the views come right.

use std::{sync::Arc, time::Duration};

use mcpanel_domain::{
    pipeline::{self, NewPipeline, techdeck},
    task::State,
};

use super::*;
use crate::{
    Projection, ReadyQueue,
    testing::{
        OwnServer, Truth, agent, assigned, eventually, instance, link, next, now, ns, of_pipeline,
        offer, prefix, servers, task,
    },
};

const SOON: Duration = Duration::from_secs(5);

async fn ask<T: redis::FromRedisValue>(link: &Link, command: &[&str]) -> T {
    let mut ask = redis::cmd(command[0]);
    ask.arg(&command[1..]);
    link.call(|mut connection| async move { ask.query_async(&mut connection).await })
        .await
        .unwrap()
}

async fn take(shared: &Shared, max: u32) -> Result<Vec<String>, Away> {
    let offer = offer("ada", &["work"], 100, max);
    let taken = shared.take(&offer, max, now()).await?;
    Ok(taken.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_queue_that_was_lost_is_built_anew() {
    for (url, address) in servers() {
        let prefix = prefix();
        let truth = Arc::new(Truth::default());
        let tasks: Vec<_> = (0..1_200)
            .map(|n| task(&format!("t{n:04}"), &["work"]))
            .collect();
        truth.save(&tasks);
        let shared = instance(&url, &prefix, &truth).await;
        assert_eq!(shared.ready(&ns()).await, Ok(1_200), "found at the start");
        let fresh = link(&address).await;
        shared.queue.wipe(&ns()).await.unwrap();
        let other = instance(&url, &prefix, &truth).await;
        let first = take(&shared, 1).await;
        eventually("both have a whole queue", SOON, async || {
            shared.ready(&ns()).await.is_ok() && other.ready(&ns()).await.is_ok()
        })
        .await;
        let left = 1_200 - first.map_or(0, |taken| taken.len() as u64);
        assert_eq!(other.ready(&ns()).await, Ok(left));
        let names: Vec<String> = ask(&fresh, &["SMEMBERS", &format!("{prefix}namespaces")]).await;
        assert_eq!(names, ["default"]);
    }
}

#[tokio::test]
async fn strangers_in_the_queue_are_dropped_by_a_sweep() {
    for (url, _) in servers() {
        let truth = Arc::new(Truth::default());
        let shared = instance(&url, &prefix(), &truth).await;
        let ada = offer("ada", &["work"], 9, 9);
        let held = assigned(&task("held", &["work"]), &ada, now());
        let told = truth.save(&[
            task("here", &["work"]),
            held.clone(),
            task("gone", &["work"]),
        ]);
        shared.apply(&told).await;
        // What happened next was never told: one ended, the other vanished.
        truth.save(&[next(&held, |task| task.state = State::Completed)]);
        truth
            .tasks
            .lock()
            .remove(&mcpanel_domain::TaskId::parse("gone").unwrap());
        shared.build(&*truth, &ns()).await.unwrap();
        let taken = shared.queue.take(&ada, 9, now()).await.unwrap();
        assert_eq!(taken.room, 9, "the lease that is over holds no slot");
        let ids: Vec<_> = taken.tasks.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["here"]);
    }
}

#[tokio::test]
async fn killed_started_empty_and_told_what_it_missed() {
    let Some(mut server) = OwnServer::start() else {
        eprintln!("skipped: no server was given");
        return;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let truth = Arc::new(Truth::default());
    let shared = instance(&server.url(), "", &truth).await;
    shared.apply(&truth.save(&[task("a", &["work"])])).await;
    assert_eq!(shared.ready(&ns()).await, Ok(1));

    server.kill();
    let begun = tokio::time::Instant::now();
    shared.apply(&truth.save(&[task("b", &["work"])])).await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "nobody waits for long"
    );
    assert_eq!(take(&shared, 1).await, Err(Away));
    let begun = tokio::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(take(&shared, 1).await, Err(Away));
    }
    assert!(
        begun.elapsed() < Duration::from_millis(100),
        "the circuit is open"
    );
    let woken = shared.wait(&offer("ada", &["work"], 9, 1));
    tokio::time::timeout(Duration::from_secs(3), woken)
        .await
        .expect("who waits is sent to ask elsewhere")
        .unwrap();

    server.restart();
    eventually("it is whole again", SOON, async || {
        shared.ready(&ns()).await == Ok(2)
    })
    .await;
    assert_eq!(take(&shared, 9).await.unwrap(), ["a", "b"]);
    assert!(shared.health().opened >= 1);
}

#[tokio::test]
async fn changes_that_were_missed_are_told_when_it_answers_again() {
    let Some(server) = OwnServer::start() else {
        eprintln!("skipped: no server was given");
        return;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let truth = Arc::new(Truth::default());
    let shared = instance(&server.url(), "", &truth).await;
    // Away, but with everything in place when it is back.
    server.pause();
    shared
        .apply(&truth.save(&[task("a", &["work"]), task("b", &["work"])]))
        .await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(take(&shared, 1).await, Err(Away));
    server.resume();
    eventually("both are there", SOON, async || {
        shared.ready(&ns()).await == Ok(2)
    })
    .await;
}

#[tokio::test]
async fn what_nobody_waited_for_to_be_told_is_told_later() {
    let Some(server) = OwnServer::start() else {
        eprintln!("skipped: no server was given");
        return;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let truth = Arc::new(Truth::default());
    let shared = instance(&server.url(), "", &truth).await;
    server.pause();
    let mut changes = truth.save(&[task("a", &["work"])]);
    changes.push(truth.save_agent(&agent("ada", &["work"], 1)));
    let impatient = Duration::from_millis(50);
    let told = tokio::time::timeout(impatient, shared.apply(&changes)).await;
    assert!(told.is_err(), "given up in the middle");
    server.resume();
    eventually("the task is there", SOON, async || {
        shared.ready(&ns()).await == Ok(1)
    })
    .await;
    let look = link(&Address::parse(&server.url()).unwrap()).await;
    eventually("the agent is shown", SOON, async || {
        ask::<Vec<String>>(&look, &["SMEMBERS", "agents:active"]).await == ["ada"]
    })
    .await;
}

#[tokio::test]
async fn the_views_are_right_within_a_second() {
    for (url, address) in servers() {
        let prefix = prefix();
        let truth = Arc::new(Truth::default());
        let one = instance(&url, &prefix, &truth).await;
        let other = instance(&url, &prefix, &truth).await;
        let look = link(&address).await;
        let key = |name: &str| format!("{prefix}{name}");
        let ada = offer("ada", &["ink", "work"], 2, 9);
        one.apply(&[truth.save_agent(&agent("ada", &["ink", "work"], 1))])
            .await;
        let mut urgent = task("urgent", &["work"]);
        urgent.priority = 5;
        let mut old = task("old", &["work"]);
        old.created_at = now().plus_ms(0);
        let mut young = task("young", &["work"]);
        young.created_at = now().plus_ms(9);
        other
            .apply(&truth.save(&[young.clone(), urgent.clone(), old]))
            .await;
        let held = assigned(&urgent, &ada, now());
        let second = Duration::from_millis(2_500);
        eventually("pending ones by urgency", second, async || {
            ask::<Vec<String>>(&look, &["ZRANGE", &key("tasks:pending"), "0", "-1"]).await
                == ["urgent", "old", "young"]
        })
        .await;

        one.apply(&truth.save(std::slice::from_ref(&held))).await;
        let running = next(&held, |task| {
            let State::Assigned(lease) = task.state.clone() else {
                unreachable!()
            };
            task.state = State::Running(lease);
        });
        other
            .apply(&truth.save(std::slice::from_ref(&running)))
            .await;
        let second = Duration::from_secs(1);
        eventually("running ones", second, async || {
            ask::<Vec<String>>(&look, &["ZRANGE", &key("tasks:running"), "0", "-1"]).await
                == ["urgent"]
        })
        .await;
        let of_ada: Vec<String> =
            ask(&look, &["ZRANGE", &key("tasks:assigned:ada"), "0", "-1"]).await;
        assert_eq!(of_ada, ["urgent"]);
        eventually("a busy agent", second, async || {
            ask::<Option<String>>(&look, &["HGET", &key("agents:status:ada"), "status"]).await
                == Some("busy".to_owned())
        })
        .await;
        let active: Vec<String> = ask(&look, &["SMEMBERS", &key("agents:active")]).await;
        assert_eq!(active, ["ada"]);
        let inked: Vec<String> = ask(&look, &["SMEMBERS", &key("agents:capabilities:ink")]).await;
        assert_eq!(inked, ["ada"]);

        // The task goes to another agent, and the first changes its trade.
        let bob = offer("bob", &["work"], 2, 9);
        let moved = next(&running, |task| task.state = State::Pending);
        one.apply(&truth.save(std::slice::from_ref(&moved))).await;
        other
            .apply(&truth.save(&[assigned(&moved, &bob, now())]))
            .await;
        one.apply(&[truth.save_agent(&agent("ada", &["work"], 1))])
            .await;
        eventually("bob has it", second, async || {
            let bob: i64 = ask(&look, &["EXISTS", &key("tasks:assigned:bob")]).await;
            let ada: i64 = ask(&look, &["EXISTS", &key("tasks:assigned:ada")]).await;
            let inked: i64 = ask(&look, &["EXISTS", &key("agents:capabilities:ink")]).await;
            (bob, ada, inked) == (1, 0, 0)
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_shown_and_does_not_exist_goes_with_a_sweep() {
    for (url, address) in servers() {
        let prefix = prefix();
        let truth = Arc::new(Truth::default());
        let shared = instance(&url, &prefix, &truth).await;
        shared
            .apply(&[truth.save_agent(&agent("ada", &["work"], 1))])
            .await;
        shared.apply(&truth.save(&[task("here", &["work"])])).await;
        let look = link(&address).await;
        let key = |name: &str| format!("{prefix}{name}");
        let pending = ["ZRANGE", &key("tasks:pending"), "0", "-1"].map(str::to_owned);
        let pending: Vec<&str> = pending.iter().map(String::as_str).collect();
        eventually("what exists is shown", SOON, async || {
            ask::<Vec<String>>(&look, &pending).await == ["here"]
        })
        .await;
        for stray in [
            ["ZADD", &key("tasks:pending"), "1", "stray"],
            ["ZADD", &key("tasks:running"), "1", "stray"],
            ["ZADD", &key("tasks:assigned:ada"), "1", "stray"],
            ["SADD", &key("agents:active"), "ghost", "ghost"],
        ] {
            let _: i64 = ask(&look, &stray).await;
        }
        shared.build(&*truth, &ns()).await.unwrap();
        eventually("strays are gone", SOON, async || {
            let running: i64 = ask(&look, &["EXISTS", &key("tasks:running")]).await;
            let assigned: i64 = ask(&look, &["EXISTS", &key("tasks:assigned:ada")]).await;
            let active: Vec<String> = ask(&look, &["SMEMBERS", &key("agents:active")]).await;
            ask::<Vec<String>>(&look, &pending).await == ["here"]
                && (running, assigned) == (0, 0)
                && active == ["ada"]
        })
        .await;
    }
}

#[tokio::test]
async fn a_pipelines_progress_is_shown() {
    for (url, address) in servers() {
        let prefix = prefix();
        let truth = Arc::new(Truth::default());
        let shared = instance(&url, &prefix, &truth).await;
        let look = link(&address).await;
        let new = NewPipeline {
            id: mcpanel_domain::PipelineId::parse("pipe_1").unwrap(),
            name: "one".to_owned(),
            description: String::new(),
            template: None,
            stages: techdeck::template(&ns()).stages,
            input_data: mcpanel_domain::Payload::empty(),
            metadata: mcpanel_domain::Payload::empty(),
            tags: Vec::new(),
            priority: 0,
        };
        let mut pipeline = pipeline::create(new, &ns(), "tests", now())
            .unwrap()
            .pipeline
            .unwrap();
        pipeline.status = pipeline::Status::Running;
        pipeline.stages[0].status = pipeline::StageStatus::Completed;
        truth
            .pipelines
            .lock()
            .insert(pipeline.id.clone(), (Arc::new(pipeline), Vec::new()));
        // A change of one of its tasks is enough.
        shared
            .apply(&truth.save(&[of_pipeline(task("a", &["work"]), "pipe_1")]))
            .await;
        let progress = format!("{prefix}pipeline:pipe_1:progress");
        eventually("its progress", Duration::from_millis(2_500), async || {
            ask::<Option<String>>(&look, &["GET", &progress]).await == Some("16.6".to_owned())
        })
        .await;
        let stage = format!("{prefix}pipeline:pipe_1:stage:1:status");
        assert_eq!(ask::<String>(&look, &["GET", &stage]).await, "completed");
        let stage = format!("{prefix}pipeline:pipe_1:stage:2:status");
        assert_eq!(ask::<String>(&look, &["GET", &stage]).await, "pending");
    }
}

#[tokio::test]
async fn what_an_instance_did_not_tell_before_it_died_is_found_soon() {
    for (url, address) in servers() {
        let prefix = prefix();
        let truth = Arc::new(Truth::default());
        let left = instance(&url, &prefix, &truth).await;
        let gone = instance(&url, &prefix, &truth).await;
        let look = link(&address).await;
        let all = format!("{prefix}{{instances}}");
        eventually("both have shown themselves", SOON, async || {
            ask::<u64>(&look, &["SCARD", &all]).await == 2
        })
        .await;
        truth.save(&[task("untold", &["work"])]);
        drop(gone);
        eventually("the task", Duration::from_secs(15), async || {
            left.ready(&ns()).await == Ok(1)
        })
        .await;
        assert_eq!(ask::<u64>(&look, &["SCARD", &all]).await, 1);
        left.close().await;
        assert_eq!(
            ask::<u64>(&look, &["SCARD", &all]).await,
            0,
            "it said farewell"
        );
    }
}
