//! The hub over a log in memory and lines of a known length.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use mcpanel_api::{TaskId, Timestamp, event::EventPayload};
use tokio::sync::watch;

use super::*;
use crate::{
    limits::{RECENT_EVENTS_MAX, RESUME_EVENTS_MAX, STUCK_MS_MAX},
    ports::Page,
};

struct Log {
    events: Mutex<Vec<Event>>,
    first_kept: AtomicU64,
    newest: watch::Sender<u64>,
}

impl Log {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::default(),
            first_kept: AtomicU64::new(1),
            newest: watch::Sender::new(0),
        })
    }

    fn happen(&self, count: u64, task: &str) {
        let mut events = self.events.lock();
        for _ in 0..count {
            let seq = events.len() as u64 + 1;
            events.push(Event {
                seq,
                kind: "task:created".to_owned(),
                timestamp: Timestamp::ZERO,
                namespace: Namespace::default_namespace(),
                by: None,
                payload: EventPayload {
                    task_id: Some(TaskId::parse(task).unwrap()),
                    ..EventPayload::default()
                },
            });
        }
        let newest = events.len() as u64;
        drop(events);
        self.newest.send_replace(newest);
    }
}

#[async_trait]
impl Follow for Log {
    async fn read(&self, _: &Namespace, after: u64, limit: usize) -> Answer<Page> {
        let events = self.events.lock();
        let some: Vec<Event> = events
            .iter()
            .skip(after as usize)
            .take(limit)
            .cloned()
            .collect();
        Ok(Page {
            scanned_to: some.last().map_or(after, |event| event.seq),
            last: events.len() as u64,
            first_kept: self.first_kept.load(Ordering::Relaxed),
            events: some,
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

/// A line that holds so many events until somebody reads.
struct Line {
    holds: usize,
    waiting: Mutex<VecDeque<String>>,
    lost: Mutex<Option<LineError>>,
    concerned: Mutex<Vec<String>>,
}

impl Line {
    fn new(holds: usize) -> Arc<Self> {
        Arc::new(Self {
            holds,
            waiting: Mutex::default(),
            lost: Mutex::default(),
            concerned: Mutex::default(),
        })
    }

    fn read(&self) -> Vec<String> {
        self.waiting.lock().drain(..).collect()
    }

    fn seqs(&self) -> Vec<u64> {
        let seq = |text: &String| serde_json::from_str::<Event>(text).unwrap().seq;
        self.read().iter().map(seq).collect()
    }
}

impl Outlet for Line {
    fn tell(&self, _: &str, body: &RawValue) -> Result<(), LineError> {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= self.holds {
            return Err(LineError::Full);
        }
        waiting.push_back(body.get().to_owned());
        Ok(())
    }

    fn concerns(&self, event: &Event) {
        self.concerned.lock().push(event.kind.clone());
    }

    fn lost(&self, why: LineError) {
        *self.lost.lock() = Some(why);
    }
}

struct World {
    log: Arc<Log>,
    channel: Arc<Channel>,
    hub: Arc<Hub>,
}

impl World {
    fn new() -> Self {
        let log = Log::new();
        let hub = Hub::new(log.clone(), Duration::from_millis(STUCK_MS_MAX));
        let channel = hub.enter(&Namespace::default_namespace(), 0, Line::new(0), None);
        Self { log, channel, hub }
    }

    fn member(&self, id: MemberId, holds: usize) -> Arc<Line> {
        let line = Line::new(holds);
        self.hub
            .enter(&Namespace::default_namespace(), id, line.clone(), None);
        line
    }

    async fn join(&self, id: MemberId, rooms: &[&str], after: Option<u64>) -> Subscribed {
        let rooms = rooms.iter().map(|room| Room::parse(room, "/room").unwrap());
        self.channel
            .subscribe(id, rooms.collect(), after)
            .await
            .unwrap()
    }
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn members_hear_what_happens_in_their_rooms_once() {
    let world = World::new();
    let all = world.member(1, 100);
    let one = world.member(2, 100);
    let subscribed = world.join(1, &["namespace", "task:a"], None).await;
    assert_eq!((subscribed.last_seq, subscribed.replayed), (0, 0));
    world.join(2, &["task:b"], None).await;
    world.log.happen(2, "a");
    world.log.happen(1, "b");
    settle().await;
    assert_eq!(all.seqs(), [1, 2, 3]);
    assert_eq!(one.seqs(), [3]);
    let rooms = [Room::parse("task:b", "").unwrap()];
    assert_eq!(world.channel.unsubscribe(2, &rooms), 0);
    world.log.happen(1, "b");
    settle().await;
    assert_eq!((all.seqs(), one.seqs()), (vec![4], vec![]));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_told_what_it_missed_before_the_answer() {
    let world = World::new();
    world.log.happen(10, "a");
    world.log.happen(1, "b");
    settle().await;
    let line = world.member(1, 100);
    let subscribed = world.join(1, &["task:a"], Some(7)).await;
    assert_eq!(
        subscribed,
        Subscribed {
            last_seq: 11,
            replayed: 3,
            resync: false
        }
    );
    assert_eq!(line.seqs(), [8, 9, 10]);
    // Another room, from an earlier number: what came already does not come again.
    let subscribed = world.join(1, &["namespace"], Some(6)).await;
    assert_eq!(subscribed.last_seq, 11);
    let again = line.seqs();
    assert!(again.contains(&7) && again.contains(&11), "{again:?}");
    world.log.happen(1, "a");
    settle().await;
    assert_eq!(line.seqs(), [12]);
}

#[tokio::test(start_paused = true)]
async fn a_burst_beyond_every_buffer_reaches_a_slow_reader_whole_and_in_order() {
    let world = World::new();
    let slow = world.member(1, 7);
    let quick = world.member(2, usize::MAX);
    world.join(1, &["namespace"], None).await;
    world.join(2, &["namespace"], None).await;
    let burst = RECENT_EVENTS_MAX as u64 * 2;
    world.log.happen(burst, "a");
    let mut heard = Vec::new();
    while (heard.len() as u64) < burst {
        tokio::time::sleep(Duration::from_millis(1)).await;
        heard.extend(slow.seqs());
        if heard.len() == 1_000 {
            world.log.happen(50, "a");
        }
    }
    let expected: Vec<u64> = (1..=heard.len() as u64).collect();
    assert_eq!(heard, expected);
    assert!(
        quick.seqs().len() as u64 >= burst,
        "nobody waited for the slow one"
    );
    assert_eq!(*slow.lost.lock(), None);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_lost() {
    let world = World::new();
    let stuck = world.member(1, 3);
    world.join(1, &["namespace"], None).await;
    world.log.happen(10, "a");
    tokio::time::sleep(Duration::from_millis(STUCK_MS_MAX + 1_000)).await;
    assert_eq!(*stuck.lost.lock(), Some(LineError::Full));
    assert_eq!(stuck.seqs(), [1, 2, 3]);
    world.log.happen(10, "a");
    settle().await;
    assert_eq!(stuck.seqs(), Vec::<u64>::new());
}

#[tokio::test(start_paused = true)]
async fn who_missed_too_much_is_told_to_read_anew() {
    let world = World::new();
    world.log.happen(RESUME_EVENTS_MAX + 10, "a");
    settle().await;
    let line = world.member(1, 100);
    let subscribed = world.join(1, &["namespace"], Some(5)).await;
    assert!(subscribed.resync);
    assert_eq!(subscribed.last_seq, RESUME_EVENTS_MAX + 10);
    world.log.happen(1, "a");
    settle().await;
    assert_eq!(
        line.seqs(),
        [RESUME_EVENTS_MAX + 11],
        "it follows from there"
    );
    // A number that this log never reached.
    let other = world.member(2, 100);
    assert!(world.join(2, &["namespace"], Some(u64::MAX)).await.resync);
    assert_eq!(other.seqs(), Vec::<u64>::new());
}

#[tokio::test(start_paused = true)]
async fn what_the_log_does_not_keep_is_a_resync() {
    let world = World::new();
    world.log.happen(RECENT_EVENTS_MAX as u64 + 500, "a");
    settle().await;
    world.log.first_kept.store(100, Ordering::Relaxed);
    let line = world.member(1, 10_000);
    assert!(world.join(1, &["namespace"], Some(50)).await.resync);
    assert_eq!(line.seqs(), Vec::<u64>::new());
    let told = world.join(1, &["task:a"], Some(200)).await;
    assert_eq!(told.replayed, RECENT_EVENTS_MAX as u64 + 300);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_ahead_of_this_instance_waits_for_it() {
    let world = World::new();
    let line = world.member(1, 100);
    let log = world.log.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        log.happen(5, "a");
    });
    let subscribed = world.join(1, &["namespace"], Some(3)).await;
    assert!(!subscribed.resync);
    settle().await;
    assert_eq!(line.seqs(), [4, 5]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_namespace_is_forgotten() {
    let world = World::new();
    world.channel.leave(0);
    tokio::time::sleep(Duration::from_millis(crate::limits::EMPTY_KEPT_MS * 2)).await;
    assert!(world.hub.channels.lock().is_empty());
}
