//! The bare append log: the least that durability costs.

use std::{
    fs::File,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::{sync::oneshot, task::JoinSet};

use super::{Config, Side, report::Lived};
use crate::log::flush;

/// Length of a record: what a task of the other side has.
const RECORD_BYTES: usize = 700;

/// Records that wait for the next flush.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    records: Vec<(Vec<u8>, oneshot::Sender<()>)>,
    closed: bool,
}

/// One round.
pub async fn round(config: &Config, side: &mut Side) -> io::Result<()> {
    let path = config.dir.join("bare.log");
    let file = File::create(&path)?;
    let queue = Arc::new(Queue::default());
    let writer = std::thread::spawn({
        let queue = queue.clone();
        let at_least = config.flush_at_least;
        move || write(file, &queue, at_least)
    });
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..config.in_flight {
        let queue = queue.clone();
        let end = begun + config.round;
        workers.spawn(async move { work(&queue, end).await });
    }
    for lived in workers.join_all().await {
        side.count(lived.lifecycles * 3, 0);
        side.add(lived);
    }
    side.elapsed += begun.elapsed();
    queue.waiting.lock().closed = true;
    queue.arrived.notify_one();
    let flushes = writer
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("its thread ended badly")))?;
    side.count(0, flushes);
    std::fs::remove_file(&path)
}

async fn work(queue: &Queue, end: Instant) -> Lived {
    let mut lived = Lived::default();
    while Instant::now() < end {
        for _ in 0..3 {
            let begun = Instant::now();
            let (done, answer) = oneshot::channel();
            let first = {
                let mut waiting = queue.waiting.lock();
                waiting.records.push((vec![7; RECORD_BYTES], done));
                waiting.records.len() == 1
            };
            if first {
                queue.arrived.notify_one();
            }
            if answer.await.is_err() {
                return lived;
            }
            lived.commit(begun.elapsed());
        }
        lived.lifecycles += 1;
    }
    lived
}

/// Writes until the queue is closed and empty; answers how often it flushed.
fn write(mut file: File, queue: &Queue, at_least: Duration) -> io::Result<u64> {
    let mut flushes = 0;
    let mut buffer = Vec::new();
    loop {
        let records = {
            let mut waiting = queue.waiting.lock();
            while waiting.records.is_empty() {
                if waiting.closed {
                    return Ok(flushes);
                }
                queue.arrived.wait(&mut waiting);
            }
            std::mem::take(&mut waiting.records)
        };
        buffer.clear();
        for (record, _) in &records {
            buffer.extend_from_slice(record);
        }
        file.write_all(&buffer)?;
        flush(&file, at_least)?;
        flushes += 1;
        for (_, done) in records {
            // Nobody listens any more when the round is over.
            let _ = done.send(());
        }
    }
}
