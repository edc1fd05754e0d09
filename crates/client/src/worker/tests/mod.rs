//! Workers against a server that does as it is told, with short heartbeats.

mod fake;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mcpanel_api::{ErrorType, Name, Payload, agent::RegisterAgent, task::LogLevel};
use serde_json::json;
use tokio::sync::{oneshot, watch};

use super::{Assignment, End, Failure, Standing, Worker};
use fake::Fake;

/// Longer than anything here takes, far shorter than a test run is worth.
const PATIENCE: Duration = Duration::from_secs(10);

fn registration(concurrency: u32) -> RegisterAgent {
    RegisterAgent {
        agent_id: Some("worker-1".parse().unwrap()),
        name: "A worker".to_owned(),
        kind: "test".parse().unwrap(),
        capabilities: vec!["count".parse().unwrap()],
        concurrency: Some(concurrency),
        version: None,
        endpoint_url: None,
        health_check_url: None,
        metadata: None,
    }
}

fn count() -> Name {
    "count".parse().unwrap()
}

/// A worker that runs until the handle is dropped or used.
struct Working {
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<crate::Result<End>>,
}

impl Working {
    fn start(worker: Worker) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let ended = tokio::spawn(async move {
            worker
                .run(async move {
                    let _ = stopped.wait_for(|stop| *stop).await;
                })
                .await
        });
        Self { stop, ended }
    }

    async fn end(self) -> End {
        tokio::time::timeout(PATIENCE, self.ended)
            .await
            .expect("the worker ends")
            .unwrap()
            .unwrap()
    }

    async fn stop(self) -> End {
        self.stop.send_replace(true);
        self.end().await
    }
}

/// A handler that goes on until it is told to stop, and tells what it was told.
async fn until_told(
    assignment: Assignment,
    told: Arc<watch::Sender<Option<Standing>>>,
) -> super::Outcome {
    assignment.cancelled().await;
    told.send_replace(Some(assignment.standing()));
    Err(Failure::new(ErrorType::System, "stopped"))
}

#[tokio::test]
async fn work_is_claimed_done_and_reported() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({"n": 20}));
    fake.offer("t2", json!({"n": 21}));
    let worker =
        Worker::new(fake.client(), registration(2)).on(count(), async |assignment: Assignment| {
            let parameters: serde_json::Value = assignment.task().parameters.read().unwrap();
            let n = parameters["n"].as_u64().unwrap();
            Ok(Payload::of(&json!({"doubled": n * 2})).unwrap())
        });
    let working = Working::start(worker);
    fake.wait_for("complete", 2).await;
    assert_eq!(working.stop().await, End::Stopped);
    let mut results = fake.bodies("complete");
    results.sort_by_key(|body| body["result"]["doubled"].as_u64());
    assert_eq!(
        results[0],
        json!({"lease": "lease-t1", "result": {"doubled": 40}})
    );
    assert_eq!(
        results[1],
        json!({"lease": "lease-t2", "result": {"doubled": 42}})
    );
    assert_eq!(fake.bodies("start").len(), 2);
}

#[tokio::test]
async fn no_more_work_is_taken_than_there_are_slots() {
    let fake = Fake::start().await;
    for number in 0..6 {
        fake.offer(&format!("t{number}"), json!({}));
    }
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = (now.clone(), most.clone());
    let worker = Worker::new(fake.client(), registration(2)).on(count(), move |_| {
        let (now, most) = seen.clone();
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(30)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(Payload::empty())
        }
    });
    let working = Working::start(worker);
    fake.wait_for("complete", 6).await;
    working.stop().await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert!(
        fake.bodies("claim")
            .iter()
            .all(|claim| claim["max"].as_u64() <= Some(2))
    );
}

#[tokio::test]
async fn a_failure_is_reported_with_its_class_and_a_panic_as_one() {
    let fake = Fake::start().await;
    fake.offer("bad", json!({}));
    fake.offer("worse", json!({}));
    let worker =
        Worker::new(fake.client(), registration(2)).on(count(), async |assignment: Assignment| {
            assert_eq!(
                assignment.task().task_id.as_str(),
                "bad",
                "the other task panics"
            );
            Err(Failure::new(ErrorType::Validation, "no such column"))
        });
    let working = Working::start(worker);
    fake.wait_for("fail", 2).await;
    working.stop().await;
    let mut errors: Vec<String> = fake
        .bodies("fail")
        .iter()
        .map(|body| format!("{} {}", body["error"]["type"], body["error"]["message"]))
        .collect();
    errors.sort();
    assert_eq!(
        errors,
        [
            r#""system" "the handler panicked""#,
            r#""validation" "no such column""#
        ]
    );
}

#[tokio::test]
async fn a_task_nobody_can_handle_fails_instead_of_going_round() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let working = Working::start(Worker::new(fake.client(), registration(1)));
    fake.wait_for("fail", 1).await;
    working.stop().await;
    assert_eq!(fake.bodies("fail")[0]["error"]["type"], "business_logic");
}

#[tokio::test]
async fn heartbeats_name_what_is_held_and_bring_the_wish_to_cancel() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let told = Arc::new(watch::Sender::new(None));
    let tell = told.clone();
    let worker = Worker::new(fake.client(), registration(1)).on(count(), move |assignment| {
        until_told(assignment, tell.clone())
    });
    let working = Working::start(worker);
    fake.wait_until(|calls| {
        calls
            .iter()
            .any(|(verb, body)| verb == "heartbeat" && body["tasks"] == json!(["t1"]))
    })
    .await;
    fake.set_heartbeat(&["t1"], &[]);
    fake.wait_for("cancel", 1).await;
    working.stop().await;
    assert_eq!(*told.borrow(), Some(Standing::CancelRequested));
    assert_eq!(fake.bodies("cancel")[0], json!({"lease": "lease-t1"}));
    assert!(fake.bodies("fail").is_empty());
}

#[tokio::test]
async fn what_is_lost_is_stopped_and_not_reported() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let told = Arc::new(watch::Sender::new(None));
    let tell = told.clone();
    let worker = Worker::new(fake.client(), registration(1)).on(count(), move |assignment| {
        until_told(assignment, tell.clone())
    });
    let working = Working::start(worker);
    fake.wait_for("start", 1).await;
    fake.set_heartbeat(&[], &["t1"]);
    let mut heard = told.subscribe();
    tokio::time::timeout(PATIENCE, heard.wait_for(Option::is_some))
        .await
        .unwrap()
        .unwrap();
    working.stop().await;
    assert_eq!(*told.borrow(), Some(Standing::Lost));
    for verb in ["complete", "fail", "release", "cancel"] {
        assert!(fake.bodies(verb).is_empty(), "{verb}");
    }
}

#[tokio::test]
async fn shutdown_gives_unfinished_work_back_and_beats_to_the_end() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let told = Arc::new(watch::Sender::new(None));
    let tell = told.clone();
    let worker = Worker::new(fake.client(), registration(1))
        .on(count(), move |assignment| {
            until_told(assignment, tell.clone())
        })
        .drain(Duration::from_secs(1))
        .sign_off();
    let working = Working::start(worker);
    fake.wait_for("start", 1).await;
    let beats = fake.bodies("heartbeat").len();
    assert_eq!(working.stop().await, End::Stopped);
    assert_eq!(*told.borrow(), Some(Standing::Stopping));
    assert_eq!(fake.bodies("release").len(), 1);
    assert!(
        fake.bodies("heartbeat").len() >= beats + 3,
        "the heart beats while draining"
    );
    assert_eq!(fake.bodies("delete").len(), 1);
}

#[tokio::test]
async fn shutdown_lets_work_finish_that_finishes_in_time() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let (go, gone) = oneshot::channel::<()>();
    let gone = Arc::new(tokio::sync::Mutex::new(Some(gone)));
    let worker = Worker::new(fake.client(), registration(1))
        .on(count(), move |_| {
            let gone = gone.clone();
            async move {
                let gone = gone.lock().await.take().unwrap();
                gone.await.unwrap();
                Ok(Payload::empty())
            }
        })
        .drain(PATIENCE);
    let working = Working::start(worker);
    fake.wait_for("start", 1).await;
    working.stop.send_replace(true);
    tokio::time::sleep(Duration::from_millis(150)).await;
    go.send(()).unwrap();
    assert_eq!(working.end().await, End::Stopped);
    assert_eq!(fake.bodies("complete").len(), 1);
    assert!(fake.bodies("release").is_empty());
}

#[tokio::test]
async fn a_superseded_worker_stops_and_says_so() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let told = Arc::new(watch::Sender::new(None));
    let tell = told.clone();
    let worker = Worker::new(fake.client(), registration(1)).on(count(), move |assignment| {
        until_told(assignment, tell.clone())
    });
    let working = Working::start(worker);
    fake.wait_for("start", 1).await;
    fake.refuse("heartbeat", 409, "session_superseded");
    assert_eq!(working.end().await, End::Superseded);
    assert_eq!(*told.borrow(), Some(Standing::Lost));
    assert_eq!(fake.bodies("register").len(), 1);
}

#[tokio::test]
async fn a_worker_whose_token_is_refused_is_not_signed_off() {
    for (status, code) in [(401, "unauthenticated"), (403, "forbidden")] {
        let fake = Fake::start().await;
        let worker =
            Worker::new(fake.client(), registration(1)).on(count(), async |_| Ok(Payload::empty()));
        let working = Working::start(worker);
        fake.wait_for("claim", 1).await;
        fake.refuse("heartbeat", status, code);
        let end = working.end().await;
        assert!(
            matches!(&end, End::Refused { why } if !why.is_empty()),
            "{end:?}"
        );
    }
}

#[tokio::test]
async fn a_worker_that_the_server_does_not_know_was_signed_off() {
    let fake = Fake::start().await;
    let worker =
        Worker::new(fake.client(), registration(1)).on(count(), async |_| Ok(Payload::empty()));
    let working = Working::start(worker);
    fake.wait_for("claim", 1).await;
    fake.refuse("heartbeat", 404, "not_found");
    assert_eq!(working.end().await, End::SignedOff);
}

#[tokio::test]
async fn a_superseded_worker_returns_where_it_was_told_to() {
    let fake = Fake::start().await;
    let worker = Worker::new(fake.client(), registration(1))
        .on(count(), async |_| Ok(Payload::empty()))
        .return_when_superseded();
    let working = Working::start(worker);
    fake.wait_for("claim", 1).await;
    fake.refuse("heartbeat", 409, "session_superseded");
    fake.wait_for("register", 2).await;
    fake.accept("heartbeat");
    fake.offer("t1", json!({}));
    fake.wait_for("complete", 1).await;
    assert_eq!(working.stop().await, End::Stopped);
}

#[tokio::test]
async fn a_server_that_is_away_for_a_moment_is_waited_for() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let (go, gone) = oneshot::channel::<()>();
    let gone = Arc::new(tokio::sync::Mutex::new(Some(gone)));
    let worker =
        Worker::new(fake.client(), registration(1)).on(count(), move |assignment: Assignment| {
            let gone = gone.clone();
            async move {
                let gone = gone.lock().await.take().unwrap();
                gone.await.unwrap();
                assert!(!assignment.is_cancelled());
                Ok(Payload::empty())
            }
        });
    let working = Working::start(worker);
    fake.wait_for("start", 1).await;
    for verb in ["heartbeat", "claim", "complete"] {
        fake.refuse(verb, 503, "store_unavailable");
    }
    go.send(()).unwrap();
    fake.wait_for("complete", 2).await;
    for verb in ["heartbeat", "claim", "complete"] {
        fake.accept(verb);
    }
    fake.wait_until(|calls| calls.iter().any(|(verb, _)| verb == "completed"))
        .await;
    assert_eq!(working.stop().await, End::Stopped);
    assert!(fake.bodies("fail").is_empty());
}

#[tokio::test]
async fn progress_is_joined_and_the_last_word_arrives_before_the_end() {
    let fake = Fake::start().await;
    fake.offer("t1", json!({}));
    let worker = Worker::new(fake.client(), registration(1)).on_blocking(count(), |assignment| {
        for percent in 0..1_000 {
            let counters = [("records".parse().unwrap(), percent)].into();
            assignment.progress(percent as f64 / 10.0, "counting", counters);
        }
        assignment.log(LogLevel::Warn, "one row is odd");
        Ok(Payload::empty())
    });
    let working = Working::start(worker);
    fake.wait_for("complete", 1).await;
    working.stop().await;
    let reports = fake.bodies("progress");
    assert!(reports.len() <= 2, "{} reports", reports.len());
    assert_eq!(reports.last().unwrap()["counters"], json!({"records": 999}));
    assert_eq!(
        fake.bodies("logs")[0]["lines"][0]["message"],
        "one row is odd"
    );
    let order = fake.verbs();
    let last = |verb: &str| order.iter().rposition(|each| each == verb);
    assert!(last("progress") < last("complete"));
}

#[tokio::test]
async fn a_result_that_the_server_refuses_fails_the_task() {
    let fake = Fake::start().await;
    fake.refuse("complete", 422, "validation");
    fake.offer("t1", json!({}));
    let worker =
        Worker::new(fake.client(), registration(1)).on(count(), async |_| Ok(Payload::empty()));
    let working = Working::start(worker);
    fake.wait_for("fail", 1).await;
    working.stop().await;
    let message = fake.bodies("fail")[0]["error"]["message"].to_string();
    assert!(message.contains("the result was refused"), "{message}");
}
