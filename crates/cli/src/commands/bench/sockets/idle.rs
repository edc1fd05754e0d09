//! Many agents that sign on, send heartbeats, and have nothing to do.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mcpanel_client::socket::Socket;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    Sockets, connect,
    process::Process,
    report::{Report, Row},
};

/// How often an agent sends a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub async fn measure(asked: &Sockets, server: &Process, report: &mut Report) -> anyhow::Result<()> {
    let before = server.resident_bytes();
    let begun = Instant::now();
    let agents = connect(server, asked.idle, |number, socket| async move {
        let id = format!("bench-idle-{number}");
        let payload = json!({"agentId": id, "agentType": "bench", "capabilities": ["bench-idle"]});
        let _: Value = socket.call("agent:register", &payload).await?;
        Ok((number, socket))
    })
    .await?;
    report.connected(asked.idle, begun.elapsed());
    let until = Instant::now() + Duration::from_secs(asked.idle_seconds);
    let mut living = JoinSet::new();
    for (number, socket) in agents {
        // Spread over the interval, as agents that began at different times are.
        let offset = HEARTBEAT * number / asked.idle.max(1);
        living.spawn(live(socket, offset, until));
    }
    let mut latencies = Histogram::<u64>::new_with_max(60_000_000, 3)?;
    let mut after = before;
    while let Some(lived) = living.join_next().await {
        for latency in lived?? {
            latencies.record(u64::try_from(latency.as_micros())?)?;
        }
        // Before sockets are closed: those of agents that ended first are still there.
        after = after.max(server.resident_bytes());
    }
    report.rows.push(Row::of("heartbeat → answer", &latencies));
    report.memory(asked.idle, before, after);
    Ok(())
}

async fn live(socket: Socket, offset: Duration, until: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    tokio::time::sleep(offset).await;
    while Instant::now() < until {
        let sent = Instant::now();
        let _: Value = socket.call("agent:heartbeat", &json!({})).await?;
        latencies.push(sent.elapsed());
        tokio::time::sleep(HEARTBEAT).await;
    }
    Ok(latencies)
}
