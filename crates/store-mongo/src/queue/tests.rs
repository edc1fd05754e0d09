//! Against a real server: the same order as the in-memory queue, and nothing lost or given twice.

mod grants;
mod model;
mod speed;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mcpanel_domain::{TaskId, task::State, task::Task};

use super::*;
use crate::testing::{assigned, next, now, ns, of_pipeline, offer, queue, servers, task};

async fn put(queue: &Queue, task: &Task) {
    put_all(queue, std::slice::from_ref(task)).await;
}

async fn put_all(queue: &Queue, tasks: &[Task]) {
    let tasks: Vec<(Arc<Task>, bool)> = tasks
        .iter()
        .map(|task| (Arc::new(task.clone()), false))
        .collect();
    let put = queue.put(&ns(), &tasks, now(), false).await.unwrap();
    assert!(put.whole);
}

async fn take(queue: &Queue, offer: &mcpanel_store::Offer) -> Vec<String> {
    let taken = queue.take(offer, offer.max, now()).await.unwrap();
    taken.tasks.iter().map(|(id, _)| id.to_string()).collect()
}

#[tokio::test]
async fn news_may_come_twice_late_and_out_of_order() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 9, 9);
        let first = task("a", &["work"]);
        let held = assigned(&first, &ada, now());
        let ended = next(&held, |task| task.state = State::Completed);
        put(&queue, &held).await;
        put(&queue, &first).await;
        assert!(take(&queue, &ada).await.is_empty(), "old news");
        put(&queue, &ended).await;
        put(&queue, &held).await;
        put(&queue, &ended).await;
        let taken = queue.take(&ada, 9, now()).await.unwrap();
        assert_eq!((taken.room, taken.tasks), (9, Vec::new()));
        let replayed = next(&ended, |task| task.state = State::Pending);
        put(&queue, &replayed).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
    }
}

#[tokio::test]
async fn blocked_tasks_wait_and_stay_free_once_freed() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 9, 9);
        let waits = Arc::new(task("waits", &["work"]));
        let blocked = [(waits.clone(), true)];
        let free = [(waits, false)];
        queue.put(&ns(), &blocked, now(), false).await.unwrap();
        assert!(take(&queue, &ada).await.is_empty());
        queue.put(&ns(), &free, now(), false).await.unwrap();
        queue.put(&ns(), &blocked, now(), false).await.unwrap();
        assert_eq!(take(&queue, &ada).await, ["waits"]);
    }
}

#[tokio::test]
async fn a_reservation_nobody_commits_comes_back() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 1, 9);
        put(&queue, &task("a", &["work"])).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
        assert!(take(&queue, &ada).await.is_empty());
        tokio::time::sleep(Duration::from_millis(RESERVATION_MS + 100)).await;
        assert_eq!(take(&queue, &ada).await, ["a"]);
    }
}

#[tokio::test]
async fn an_instance_that_ends_gives_all_back() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        put_all(&queue, &[task("a", &["work"]), task("b", &["work"])]).await;
        assert_eq!(take(&queue, &offer("ada", &["work"], 2, 2)).await.len(), 2);
        queue.give_back_all().await;
        assert_eq!(queue.promote(&ns(), now()).await.unwrap().ready, 2);
        assert_eq!(take(&queue, &offer("bob", &["work"], 2, 2)).await.len(), 2);
    }
}

/// Eight claims at a time, with commits, returns and deaths among them: every task is completed once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_task_is_lost_or_given_to_two() {
    const TASKS: usize = 400;
    const TAKERS: usize = 8;
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let mut tasks: BTreeMap<TaskId, Arc<Task>> = BTreeMap::new();
        for n in 0..TASKS {
            let skill = ["read", "write"][n % 2];
            let task = of_pipeline(task(&format!("t{n:04}"), &[skill]), ["p", "q", "r"][n % 3]);
            tasks.insert(task.id.clone(), Arc::new(task));
        }
        let all: Vec<(Arc<Task>, bool)> =
            tasks.values().map(|task| (task.clone(), false)).collect();
        queue.put(&ns(), &all, now(), false).await.unwrap();
        let truth = Arc::new(Mutex::new(tasks));
        let held = Arc::new(Mutex::new(FxHashSet::<TaskId>::default()));
        let mut takers = Vec::new();
        for taker in 0..TAKERS {
            let (queue, truth, held) = (queue.clone(), truth.clone(), held.clone());
            takers.push(tokio::spawn(async move {
                let offer = offer(&format!("agent{taker}"), &["read", "write"], 20, 7);
                let mut dice = crate::testing::Dice(taker as u64 + 1);
                let mut completed = 0;
                loop {
                    let taken = queue.take(&offer, 7, now()).await.unwrap();
                    if taken.tasks.is_empty() {
                        let live = truth
                            .lock()
                            .values()
                            .any(|task| task.state == State::Pending);
                        if !live {
                            return completed;
                        }
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        continue;
                    }
                    for (id, _) in &taken.tasks {
                        assert!(held.lock().insert(id.clone()), "`{id}` was given to two");
                    }
                    for (id, revision) in &taken.tasks {
                        let task = truth.lock().get(id).cloned().unwrap();
                        assert_eq!(task.revision, *revision);
                        held.lock().remove(id);
                        if dice.below(4) == 0 {
                            queue.give_back(&ns(), std::iter::once(&*task));
                            continue;
                        }
                        let assigned = assigned(&task, &offer, now());
                        let done = next(&assigned, |task| task.state = State::Completed);
                        truth.lock().insert(id.clone(), Arc::new(done.clone()));
                        put(&queue, &assigned).await;
                        put(&queue, &done).await;
                        completed += 1;
                    }
                }
            }));
        }
        let mut completed = 0;
        for taker in takers {
            completed += taker.await.unwrap();
        }
        assert_eq!(completed, TASKS);
        let state = queue.promote(&ns(), now()).await.unwrap();
        assert_eq!(state.ready, 0);
        let left = queue
            .take(&offer("agent0", &["read"], 20, 7), 7, now())
            .await
            .unwrap();
        assert_eq!(left.room, 20, "no slot leaked");
    }
}

#[tokio::test]
async fn claims_that_wait_hear_of_work_on_another_instance() {
    for (_, address) in servers() {
        let here = queue(&address).await;
        let there = Queue::new(here.link.clone(), here.keys.clone(), true);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let full = there.wait(&offer("full", &["work"], 0, 1));
        let other = there.wait(&offer("other", &["ink"], 1, 1));
        let idle = offer("idle", &["work"], 9, 1);
        let mut fastest = Duration::MAX;
        // The net below the messages wakes too, a second after the last time: whoever it woke in one round hears of the
        // next task that late.
        for id in ["a", "b", "c", "d", "e"] {
            let woken = there.wait(&idle);
            let begun = Instant::now();
            put(&here, &task(id, &["work"])).await;
            tokio::time::timeout(Duration::from_secs(20), woken)
                .await
                .expect("woken")
                .unwrap();
            if id != "a" {
                fastest = fastest.min(begun.elapsed());
            }
            assert_eq!(take(&there, &idle).await, [id]);
        }
        assert!(fastest < Duration::from_millis(700), "{fastest:?}");
        for mut left in [full, other] {
            assert!(left.try_recv().is_err(), "nothing for this one");
        }
    }
}

/// A server that drops keys is noticed by a look at what should be there; the queue is built anew then.
#[tokio::test]
async fn what_was_torn_apart_is_noticed_and_wiped() {
    for (_, address) in servers() {
        let queue = queue(&address).await;
        let ada = offer("ada", &["work"], 9, 9);
        let tasks = [task("a", &["work"]), task("b", &["work"])];
        put_all(&queue, &tasks).await;
        let all: Vec<(Arc<Task>, bool)> = tasks
            .iter()
            .map(|task| (Arc::new(task.clone()), false))
            .collect();
        let well = queue.put(&ns(), &all, now(), true).await.unwrap();
        assert_eq!(well.torn, 0);
        let key = format!("{}|q|/work|0|", queue.keys.queue(&ns()));
        let _: i64 = queue
            .link
            .call(|mut connection| async move {
                redis::cmd("DEL")
                    .arg(key)
                    .query_async(&mut connection)
                    .await
            })
            .await
            .unwrap();
        let torn = queue.put(&ns(), &all, now(), true).await.unwrap();
        assert_eq!(
            torn,
            Put {
                whole: true,
                torn: 2
            }
        );
        queue.wipe(&ns()).await.unwrap();
        assert!(!queue.look(&ns()).await.unwrap(), "wiped is not whole");
        queue.put(&ns(), &all, now(), true).await.unwrap();
        queue.built(&ns(), true).await.unwrap();
        assert!(queue.look(&ns()).await.unwrap());
        assert_eq!(take(&queue, &ada).await, ["a", "b"]);
    }
}
