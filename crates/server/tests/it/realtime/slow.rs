//! A client that stops reading: what waits for it is bounded, it is ended with a reason, and nobody else notices.

use std::time::Duration;

use mcpanel_domain::limits::BATCH_TASKS_MAX;
use mcpanel_server::realtime::{Patience, Settings, settings};
use serde_json::{Value, json};
use tokio::{
    join,
    time::{sleep, timeout},
};

use super::world::{Visitor, World};

/// Longer than a busy machine takes.
const LONG: Duration = Duration::from_secs(60);

/// Until one that does not read is ended.
const STUCK: Duration = Duration::from_secs(3);

/// Batches that are more than the queues of a socket and a system's buffers at both ends usually hold.
const BATCHES: usize = 12;

/// As often more is told, where the system lets its buffers grow: up to 32 MB of them.
const ROUNDS_MAX: usize = 8;

/// As often another one stops reading.
const SLOW_ONES_MAX: usize = 5;

/// Hears a batch of events, and checks that nothing is left out.
async fn hear(reader: &mut Visitor, last: &mut Option<u64>) {
    for _ in 0..BATCH_TASKS_MAX {
        let next = timeout(LONG, reader.next()).await.expect("it goes on");
        let seq = next.expect("who reads stays").happened().unwrap().seq;
        assert!(last.is_none_or(|last| seq == last + 1), "{last:?}, {seq}");
        *last = Some(seq);
    }
}

/// Tells as much as it takes until one that does not read is ended; how many events that were. `None` where a ping came
/// while its line was full, as it does every 25 s: that ends it without a word.
async fn tell_until_it_is_ended(
    world: &World,
    reader: &mut Visitor,
    last: &mut Option<u64>,
) -> Option<usize> {
    let admin = world.admin();
    for round in 1..=ROUNDS_MAX {
        for _ in 0..BATCHES {
            let tasks = vec![json!({"task_type": "work"}); BATCH_TASKS_MAX];
            let batch = json!({"tasks": tasks});
            let (made, ()) = join!(admin.post("/api/v1/tasks/batch", batch), hear(reader, last));
            made.ok(201);
        }
        let ended = async {
            while world.realtime.figures().slow_readers() == 0 && world.realtime.sockets() == 2 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        if timeout(2 * STUCK, ended).await.is_ok() {
            let told = round * BATCHES * BATCH_TASKS_MAX;
            return (world.realtime.figures().slow_readers() == 1).then_some(told);
        }
    }
    panic!("who does not read is not ended")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_is_ended_with_a_reason_and_holds_nobody_up() {
    let world = World::with(Settings {
        patience: Patience {
            stuck: STUCK,
            farewell: LONG,
            write: LONG * 2,
        },
        ..settings(Vec::new())
    })
    .await;
    let mut reader = world.visitor().await;
    reader.subscribe("namespace").await;

    let mut last = None;
    let mut slow_ones = 0;
    let (mut slow, told) = loop {
        slow_ones += 1;
        assert!(slow_ones <= SLOW_ONES_MAX, "all were ended without a word");
        // The client takes some events for whoever reads them, and stops reading its line when nobody does.
        let slow = world.visitor().await;
        slow.subscribe("namespace").await;
        if let Some(told) = tell_until_it_is_ended(&world, &mut reader, &mut last).await {
            break (slow, told);
        }
    };

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
    assert!(heard < told, "what waited for it was bounded: {heard}");
    assert_eq!(world.realtime.figures().slow_readers(), 1);
    // It may come back, and hear the rest.
    assert_eq!(reason["retry"], true);
}
