//! The edge alone, measured: how long after an event is in the log everybody has heard of it, and what an idle socket costs.
//!
//! `cargo run --release -p mcpanel-realtime --example broadcast -- 1000 200 20` tells 1,000 clients of 200 events, 20 a second, from
//! a process of its own with a log in memory. `mcpanel bench sockets` measures the same with a real store behind it, and with
//! clients that read what they hear; these here only look at the time. With `bare` behind the numbers, a server that does nothing
//! but send stands in the edge's place: no edge on this machine can be faster.

mod bare;
mod ear;

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use mcpanel_api::{
    Namespace, TaskId, Timestamp,
    event::{Event, EventPayload},
};
use mcpanel_guard::Principal;
use mcpanel_realtime::{
    Parts, Realtime, Settings,
    limits::HANDSHAKES_PER_S_MAX,
    ports::{Answer, Credential, Follow, Identify, Identity, Page},
};
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use bare::Bare;
use ear::Ear;

/// Where the process that serves finds what it is asked for.
const SERVE: &str = "BROADCAST_SERVE";

/// The word that asks for the floor.
const BARE: &str = "bare";

/// How long sockets are idle before memory is looked at.
const SETTLE: Duration = Duration::from_secs(3);

struct Anybody;

#[async_trait]
impl Identify for Anybody {
    async fn identify(&self, _: &Credential) -> Answer<Identity> {
        Ok(Identity {
            principal: Principal::admin(),
            expires_at: None,
        })
    }

    async fn still(&self, _: &Principal) -> Answer<()> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ms((micros() / 1_000) as i64)
    }
}

struct Log {
    events: Mutex<Vec<Event>>,
    newest: watch::Sender<u64>,
}

impl Log {
    fn happen(&self) {
        let mut events = self.events.lock();
        let seq = events.len() as u64 + 1;
        events.push(event(seq));
        drop(events);
        self.newest.send_replace(seq);
    }
}

fn event(seq: u64) -> Event {
    Event {
        seq,
        kind: "task:completed".to_owned(),
        timestamp: Timestamp::from_ms((micros() / 1_000) as i64),
        namespace: Namespace::default_namespace(),
        by: None,
        payload: EventPayload {
            task_id: TaskId::parse("pipe_1.s2.000000").ok(),
            status: Some("completed".to_owned()),
            progress: Some(100.0),
            // When it was in the log, for those who hear.
            message: Some(micros().to_string()),
            ..EventPayload::default()
        },
    }
}

#[async_trait]
impl Follow for Log {
    async fn read(&self, _: &Namespace, after: u64, limit: usize) -> Answer<Page> {
        let events = self.events.lock();
        let begin = usize::try_from(after).unwrap_or(usize::MAX);
        let some: Vec<Event> = events.iter().skip(begin).take(limit).cloned().collect();
        Ok(Page {
            scanned_to: some.last().map_or(after, |event| event.seq),
            last: events.len() as u64,
            first_kept: 1,
            events: some,
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let [clients, events, rate] = numbers[..] else {
        return Err("usage: broadcast CLIENTS EVENTS EVENTS_A_SECOND [bare]".into());
    };
    match std::env::var(SERVE) {
        Ok(address) if std::env::args().any(|word| word == BARE) => {
            serve_bare(&address, clients, events, rate).await
        }
        Ok(address) => serve(&address, clients, events, rate).await,
        Err(_) => measure(clients, events).await,
    }
}

/// Waits until everybody is there, then lets things happen.
async fn serve(
    address: &str,
    clients: u64,
    events: u64,
    rate: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let log = Arc::new(Log {
        events: Mutex::default(),
        newest: watch::Sender::new(0),
    });
    let parts = Parts {
        identify: Arc::new(Anybody),
        follow: log.clone(),
        desk: None,
        scrape: None,
    };
    let realtime = Realtime::new(parts, Settings::default());
    let listener = TcpListener::bind(address).await?;
    let (_stop, stopping) = watch::channel(false);
    tokio::spawn(realtime.clone().serve(listener, stopping));
    while (realtime.sockets() as u64) < clients {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(SETTLE).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate)?);
    for _ in 0..events {
        tick.tick().await;
        log.happen();
    }
    std::future::pending().await
}

/// The same at the floor.
async fn serve_bare(
    address: &str,
    clients: u64,
    events: u64,
    rate: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut bare = Bare::open(&TcpListener::bind(address).await?, clients).await?;
    tokio::time::sleep(SETTLE).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate)?);
    for seq in 1..=events {
        tick.tick().await;
        bare.tell(&event(seq)).await?;
    }
    std::future::pending().await
}

async fn measure(clients: u64, events: u64) -> Result<(), Box<dyn std::error::Error>> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut server = Command::new(std::env::current_exe()?)
        .args(std::env::args().skip(1))
        .env(SERVE, free.to_string())
        .stdin(Stdio::null())
        .spawn()?;
    let outcome = listen(clients, events, &free.to_string(), server.id()).await;
    server.kill()?;
    server.wait()?;
    outcome
}

async fn listen(
    clients: u64,
    events: u64,
    address: &str,
    server: u32,
) -> Result<(), Box<dyn std::error::Error>> {
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = resident(server);
    let mut listening = JoinSet::new();
    for number in 1..=clients {
        listening.spawn(hear(Ear::open(address).await?, events));
        // Ears open faster than the server lets anybody in.
        if number.is_multiple_of(u64::from(HANDSHAKES_PER_S_MAX)) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    tokio::time::sleep(SETTLE / 2).await;
    if let (Some(before), Some(after)) = (before, resident(server)) {
        let each = after.saturating_sub(before) / clients.max(1);
        println!(
            "memory of the server: {} MB before, {} MB with {clients} idle sockets, {each} bytes each",
            before >> 20,
            after >> 20
        );
    }
    let mut latencies = Vec::new();
    while let Some(heard) = listening.join_next().await {
        latencies.extend(heard??);
    }
    latencies.sort_unstable();
    let at =
        |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    if !latencies.is_empty() {
        println!(
            "{} events heard: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            latencies.len(),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

async fn hear(mut ear: Ear, events: u64) -> std::io::Result<Vec<u64>> {
    let mut latencies = Vec::new();
    while (latencies.len() as u64) < events {
        latencies.push(ear.hear(age).await?);
    }
    Ok(latencies)
}

/// How long ago what is told here was in the log, in microseconds.
fn age(text: &[u8]) -> Option<u64> {
    let now = micros();
    let text = std::str::from_utf8(text).ok()?;
    let (_, said) = text.split_once(r#""message":""#)?;
    let at: u64 = said.split_once('"')?.0.parse().ok()?;
    Some(now.saturating_sub(at))
}

fn micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}
