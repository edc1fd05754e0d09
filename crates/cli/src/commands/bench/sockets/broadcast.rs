//! One event, told to many.
//!
//! A task is created for each event, and each client notes when it hears of it. The change is durable somewhere between the
//! request and its answer, so both are measured from: the first includes the flush of the disk, the second leaves out what
//! the answer itself took, and is zero for who heard before.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mcpanel_client::socket::Socket;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use super::{
    STRAGGLER, Sockets, connect,
    process::Process,
    report::{Report, Row},
};
use crate::commands::bench::wire::Wire;

/// The beginning of the ids of the tasks that are created.
const PREFIX: &str = "bench-broadcast-";

pub async fn measure(asked: &Sockets, server: &Process, report: &mut Report) -> anyhow::Result<()> {
    let begun = Instant::now();
    let sockets = connect(server, asked.clients, |_, socket| async move {
        let _: Value = socket
            .call("subscribe", &json!({"room": "namespace"}))
            .await?;
        Ok(socket)
    })
    .await?;
    report.connected(asked.clients, begun.elapsed());
    let mut clients = JoinSet::new();
    for socket in sockets {
        clients.spawn(listen(socket, asked.events as usize));
    }
    let said = say(asked, server).await?;
    let mut from_request = Histogram::new_with_max(60_000_000, 3)?;
    let mut from_answer = from_request.clone();
    let mut missed = 0_u64;
    while let Some(heard) = clients.join_next().await {
        for ((sent, answered), heard) in said.iter().zip(heard?) {
            let Some(heard) = heard else {
                missed += 1;
                continue;
            };
            from_request.record(micros(heard.saturating_duration_since(*sent)))?;
            from_answer.record(micros(heard.saturating_duration_since(*answered)))?;
        }
    }
    anyhow::ensure!(missed == 0, "{missed} events were not heard");
    report
        .rows
        .push(Row::of("request sent → heard", &from_request));
    report
        .rows
        .push(Row::of("request answered → heard", &from_answer));
    Ok(())
}

/// Creates a task for each event; when each was asked for and answered.
async fn say(asked: &Sockets, server: &Process) -> anyhow::Result<Vec<(Instant, Instant)>> {
    let mut wire = Wire::open(&server.http).await?;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / asked.rate);
    let mut said = Vec::with_capacity(asked.events as usize);
    for number in 0..asked.events {
        tick.tick().await;
        let body = json!({"task_id": format!("{PREFIX}{number}"), "task_type": "bench"});
        let sent = Instant::now();
        let _: Value = wire
            .post("/api/v1/tasks", serde_json::to_vec(&body)?)
            .await?;
        said.push((sent, Instant::now()));
    }
    Ok(said)
}

/// Notes when each event is heard.
async fn listen(mut socket: Socket, events: usize) -> Vec<Option<Instant>> {
    let mut heard = vec![None; events];
    let mut left = events;
    // The first one may take as long as everybody's connecting does.
    while left > 0 {
        let Ok(Some(incoming)) = timeout(STRAGGLER, socket.next()).await else {
            break;
        };
        let now = Instant::now();
        if incoming.event == "task:created"
            && let Some(number) = number(incoming.body.get())
            && let Some(place) = heard.get_mut(number)
        {
            *place = Some(now);
            left -= 1;
        }
    }
    heard
}

fn number(body: &str) -> Option<usize> {
    let (_, rest) = body.split_once(PREFIX)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
