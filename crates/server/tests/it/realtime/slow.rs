//! A client that stops reading: what waits for it is bounded, it is ended with a reason, and nobody else notices.

use std::time::Duration;

use mcpanel_domain::limits::BATCH_TASKS_MAX;
use mcpanel_server::realtime::{Patience, Settings, settings};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::world::{Visitor, World};

/// Longer than a busy machine takes.
const LONG: Duration = Duration::from_secs(60);

/// Several times what the queues of a socket and the system's buffers at both ends hold.
const BATCHES: usize = 12;

/// Hears everything that is told, and checks that nothing is left out; how many events that were.
async fn hear_all(mut reader: Visitor, count: usize) -> usize {
    let mut last = None;
    for heard in 0..count {
        let next = timeout(LONG, reader.next()).await.expect("it goes on");
        let Some(incoming) = next else { return heard };
        let seq = incoming.happened().unwrap().seq;
        assert!(last.is_none_or(|last| seq == last + 1), "{last:?}, {seq}");
        last = Some(seq);
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_is_ended_with_a_reason_and_holds_nobody_up() {
    let world = World::with(Settings {
        patience: Patience {
            stuck: Duration::from_secs(3),
            farewell: LONG,
            write: LONG * 2,
        },
        ..settings(Vec::new())
    })
    .await;
    let mut slow = world.visitor().await;
    let reader = world.visitor().await;
    slow.subscribe("namespace").await;
    reader.subscribe("namespace").await;

    let told = BATCHES * BATCH_TASKS_MAX;
    let reading = tokio::spawn(hear_all(reader, told));
    // The client takes some events for whoever reads them, and stops reading its line when nobody does.
    let admin = world.admin();
    for _ in 0..BATCHES {
        let tasks = vec![json!({"task_type": "work"}); BATCH_TASKS_MAX];
        let batch = json!({"tasks": tasks});
        admin.post("/api/v1/tasks/batch", batch).await.ok(201);
    }
    assert_eq!(reading.await.unwrap(), told, "who reads hears everything");
    let ended = async {
        while world.realtime.slow_readers() == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, ended)
        .await
        .expect("who does not read is ended");

    // What had been sent before is still on its line; behind it stands why.
    let mut heard = 0;
    let reason = loop {
        let next = timeout(LONG, slow.next()).await.expect("the line goes on");
        let incoming = next.expect("the reason comes before the end");
        match incoming.event.as_str() {
            "disconnect:reason" => break incoming.read::<Value>().unwrap(),
            _ => heard += 1,
        }
    };
    assert_eq!(reason["code"], "slow_reader");
    assert!(timeout(LONG, slow.next()).await.unwrap().is_none());
    assert!(heard < told / 2, "what waited for it was bounded: {heard}");
    assert_eq!(world.realtime.slow_readers(), 1);
    // It may come back, and hear the rest.
    assert_eq!(reason["retry"], true);
}
