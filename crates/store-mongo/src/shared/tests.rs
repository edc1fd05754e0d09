//! An instance and its Redis, which may forget or be away: nothing is lost, and the views come right.

use std::{sync::Arc, time::Duration};

use mcpanel_domain::{
    agent::Agent,
    pipeline::{self, NewPipeline, techdeck},
    task::{State, Task},
};

use super::*;
use crate::{
    Projection, ReadyQueue,
    testing::{
        OwnServer, Truth, agent, assigned, eventually, instance, link, next, now, ns, of_pipeline,
        offer, prefix, servers, task,
    },
};

/// Long enough for a machine that builds at the same time.
const SOON: Duration = Duration::from_secs(60);

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

/// A truth, an instance that follows it, and somebody who looks at the keys.
struct Place {
    truth: Arc<Truth>,
    shared: Arc<Shared>,
    look: Arc<Link>,
    url: String,
    prefix: String,
}

impl Place {
    async fn at(url: &str, address: &Address, prefix: String) -> Self {
        let truth = Arc::new(Truth::default());
        Self {
            shared: instance(url, &prefix, &truth).await,
            truth,
            look: link(address).await,
            url: url.to_owned(),
            prefix,
        }
    }

    /// One on each server that was given.
    async fn on_each() -> Vec<Self> {
        let mut places = Vec::new();
        for (url, address) in servers() {
            places.push(Self::at(&url, &address, prefix()).await);
        }
        places
    }

    /// One on a server that it may stop, if it may start one.
    async fn on_its_own() -> Option<(OwnServer, Self)> {
        let Some(server) = OwnServer::start() else {
            eprintln!("skipped: no server was given");
            return None;
        };
        let url = server.url();
        let address = Address::parse(&url).unwrap();
        eventually("it listens", SOON, async || {
            Link::open(address.clone()).await.is_up()
        })
        .await;
        let place = Self::at(&url, &address, String::new()).await;
        Some((server, place))
    }

    /// Another instance at the same place.
    async fn other(&self) -> Arc<Shared> {
        instance(&self.url, &self.prefix, &self.truth).await
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Saves tasks and tells of them.
    async fn save(&self, tasks: &[Task]) {
        self.shared.apply(&self.truth.save(tasks)).await;
    }

    /// Saves an agent and tells of it.
    async fn save_agent(&self, agent: &Agent) {
        self.shared.apply(&[self.truth.save_agent(agent)]).await;
    }

    async fn ranked(&self, name: &str) -> Vec<String> {
        ask(&self.look, &["ZRANGE", &self.key(name), "0", "-1"]).await
    }

    async fn members(&self, name: &str) -> Vec<String> {
        ask(&self.look, &["SMEMBERS", &self.key(name)]).await
    }

    async fn exists(&self, name: &str) -> bool {
        ask(&self.look, &["EXISTS", &self.key(name)]).await
    }

    async fn text(&self, name: &str) -> Option<String> {
        ask(&self.look, &["GET", &self.key(name)]).await
    }
}

#[tokio::test]
async fn a_queue_that_was_lost_is_built_anew() {
    for place in Place::on_each().await {
        let tasks: Vec<_> = (0..1_200)
            .map(|n| task(&format!("t{n:04}"), &["work"]))
            .collect();
        place.truth.save(&tasks);
        let prefix = prefix();
        let shared = instance(&place.url, &prefix, &place.truth).await;
        assert_eq!(shared.ready(&ns()).await, Ok(1_200), "found at the start");
        shared.queue.wipe(&ns()).await.unwrap();
        let other = instance(&place.url, &prefix, &place.truth).await;
        let first = take(&shared, 1).await;
        eventually("both have a whole queue", SOON, async || {
            shared.ready(&ns()).await.is_ok() && other.ready(&ns()).await.is_ok()
        })
        .await;
        let left = 1_200 - first.map_or(0, |taken| taken.len() as u64);
        assert_eq!(other.ready(&ns()).await, Ok(left));
        let names = ["SMEMBERS", &format!("{prefix}namespaces")];
        let names: Vec<String> = ask(&place.look, &names).await;
        assert_eq!(names, ["default"]);
    }
}

#[tokio::test]
async fn strangers_in_the_queue_are_dropped_by_a_sweep() {
    for place in Place::on_each().await {
        let (truth, shared) = (&place.truth, &place.shared);
        let ada = offer("ada", &["work"], 9, 9);
        let held = assigned(&task("held", &["work"]), &ada, now());
        let gone = task("gone", &["work"]);
        let here = task("here", &["work"]);
        place.save(&[here, held.clone(), gone.clone()]).await;
        // What happened next was never told: one ended, the other vanished.
        truth.save(&[next(&held, |task| task.state = State::Completed)]);
        truth.tasks.lock().remove(&gone.id);
        shared.build(&**truth, &ns()).await.unwrap();
        let taken = shared.queue.take(&ada, 9, now()).await.unwrap();
        assert_eq!(taken.room, 9, "the lease that is over holds no slot");
        let ids: Vec<_> = taken.tasks.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["here"]);
    }
}

#[tokio::test]
async fn killed_started_empty_and_told_what_it_missed() {
    let Some((mut server, place)) = Place::on_its_own().await else {
        return;
    };
    let shared = &place.shared;
    place.save(&[task("a", &["work"])]).await;
    assert_eq!(shared.ready(&ns()).await, Ok(1));

    server.kill();
    let begun = tokio::time::Instant::now();
    place.save(&[task("b", &["work"])]).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "nobody waits for long"
    );
    assert_eq!(take(shared, 1).await, Err(Away));
    let begun = tokio::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(take(shared, 1).await, Err(Away));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the circuit is open"
    );
    let woken = shared.wait(&offer("ada", &["work"], 9, 1));
    tokio::time::timeout(SOON, woken)
        .await
        .expect("who waits is sent to ask elsewhere")
        .unwrap();

    server.restart();
    eventually("it is whole again", SOON, async || {
        shared.ready(&ns()).await == Ok(2)
    })
    .await;
    assert_eq!(take(shared, 9).await.unwrap(), ["a", "b"]);
    assert!(shared.health().opened >= 1);
}

#[tokio::test]
async fn changes_that_were_missed_are_told_when_it_answers_again() {
    let Some((server, place)) = Place::on_its_own().await else {
        return;
    };
    let shared = &place.shared;
    // Away, but with everything in place when it is back.
    server.pause();
    place
        .save(&[task("a", &["work"]), task("b", &["work"])])
        .await;
    eventually("it is noticed", SOON, async || {
        take(shared, 1).await == Err(Away)
    })
    .await;
    server.resume();
    eventually("both are there", SOON, async || {
        shared.ready(&ns()).await == Ok(2)
    })
    .await;
}

#[tokio::test]
async fn what_nobody_waited_for_to_be_told_is_told_later() {
    let Some((server, place)) = Place::on_its_own().await else {
        return;
    };
    let shared = &place.shared;
    server.pause();
    let mut changes = place.truth.save(&[task("a", &["work"])]);
    changes.push(place.truth.save_agent(&agent("ada", &["work"], 1)));
    let impatient = Duration::from_millis(50);
    let told = tokio::time::timeout(impatient, shared.apply(&changes)).await;
    assert!(told.is_err(), "given up in the middle");
    server.resume();
    eventually("the task is there", SOON, async || {
        shared.ready(&ns()).await == Ok(1)
    })
    .await;
    eventually("the agent is shown", SOON, async || {
        place.members("agents:active").await == ["ada"]
    })
    .await;
}

#[tokio::test]
async fn the_views_follow_whoever_tells() {
    for place in Place::on_each().await {
        let other = place.other().await;
        let ada = offer("ada", &["ink", "work"], 2, 9);
        place.save_agent(&agent("ada", &["ink", "work"], 1)).await;
        let mut urgent = task("urgent", &["work"]);
        urgent.priority = 5;
        let old = task("old", &["work"]);
        let mut young = task("young", &["work"]);
        young.created_at = now().plus_ms(9);
        other
            .apply(&place.truth.save(&[young, urgent.clone(), old]))
            .await;
        eventually("pending ones by urgency", SOON, async || {
            place.ranked("tasks:pending").await == ["urgent", "old", "young"]
        })
        .await;

        let held = assigned(&urgent, &ada, now());
        place.save(std::slice::from_ref(&held)).await;
        let running = next(&held, |task| {
            let State::Assigned(lease) = task.state.clone() else {
                unreachable!()
            };
            task.state = State::Running(lease);
        });
        let told = place.truth.save(std::slice::from_ref(&running));
        other.apply(&told).await;
        eventually("running ones", SOON, async || {
            place.ranked("tasks:running").await == ["urgent"]
        })
        .await;
        assert_eq!(place.ranked("tasks:assigned:ada").await, ["urgent"]);
        eventually("a busy agent", SOON, async || {
            let status = ["HGET", &place.key("agents:status:ada"), "status"];
            ask::<Option<String>>(&place.look, &status).await.as_deref() == Some("busy")
        })
        .await;
        assert_eq!(place.members("agents:active").await, ["ada"]);
        assert_eq!(place.members("agents:capabilities:ink").await, ["ada"]);

        // The task goes to another agent, and the first changes its trade.
        let bob = offer("bob", &["work"], 2, 9);
        let moved = next(&running, |task| task.state = State::Pending);
        place.save(std::slice::from_ref(&moved)).await;
        let told = place.truth.save(&[assigned(&moved, &bob, now())]);
        other.apply(&told).await;
        place.save_agent(&agent("ada", &["work"], 1)).await;
        eventually("bob has it", SOON, async || {
            place.exists("tasks:assigned:bob").await
                && !place.exists("tasks:assigned:ada").await
                && !place.exists("agents:capabilities:ink").await
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_shown_and_does_not_exist_goes_with_a_sweep() {
    for place in Place::on_each().await {
        place.save_agent(&agent("ada", &["work"], 1)).await;
        place.save(&[task("here", &["work"])]).await;
        eventually("what exists is shown", SOON, async || {
            place.ranked("tasks:pending").await == ["here"]
        })
        .await;
        for stray in [
            ["ZADD", &place.key("tasks:pending"), "1", "stray"],
            ["ZADD", &place.key("tasks:running"), "1", "stray"],
            ["ZADD", &place.key("tasks:assigned:ada"), "1", "stray"],
            ["SADD", &place.key("agents:active"), "ghost", "ghost"],
        ] {
            let _: i64 = ask(&place.look, &stray).await;
        }
        place.shared.build(&*place.truth, &ns()).await.unwrap();
        eventually("strays are gone", SOON, async || {
            place.ranked("tasks:pending").await == ["here"]
                && !place.exists("tasks:running").await
                && !place.exists("tasks:assigned:ada").await
                && place.members("agents:active").await == ["ada"]
        })
        .await;
    }
}

#[tokio::test]
async fn a_pipelines_progress_is_shown() {
    for place in Place::on_each().await {
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
        let stored = (Arc::new(pipeline.clone()), Vec::new());
        place.truth.pipelines.lock().insert(pipeline.id, stored);
        // A change of one of its tasks is enough.
        place
            .save(&[of_pipeline(task("a", &["work"]), "pipe_1")])
            .await;
        eventually("its progress", SOON, async || {
            place.text("pipeline:pipe_1:progress").await.as_deref() == Some("16.6")
        })
        .await;
        for (stage, status) in [(1, "completed"), (2, "pending")] {
            let key = format!("pipeline:pipe_1:stage:{stage}:status");
            assert_eq!(place.text(&key).await.as_deref(), Some(status));
        }
    }
}

#[tokio::test]
async fn what_an_instance_did_not_tell_before_it_died_is_found_soon() {
    for place in Place::on_each().await {
        let gone = place.other().await;
        let all = place.key("{instances}");
        let instances = async || ask::<u64>(&place.look, &["SCARD", &all]).await;
        eventually("both have shown themselves", SOON, async || {
            instances().await == 2
        })
        .await;
        let seen = place.shared.peers().await.unwrap();
        assert_eq!((seen.all, seen.told.len()), (2, 2));
        assert_eq!(seen.told.iter().filter(|peer| peer.is_me).count(), 1);
        assert!(
            seen.told.iter().all(|peer| peer.shown_ms.is_some()),
            "{seen:?}"
        );
        place.truth.save(&[task("untold", &["work"])]);
        drop(gone);
        eventually("the task", SOON, async || {
            place.shared.ready(&ns()).await == Ok(1)
        })
        .await;
        assert_eq!(instances().await, 1);
        place.shared.close().await;
        assert_eq!(instances().await, 0, "it said farewell");
    }
}
