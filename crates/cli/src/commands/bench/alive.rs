//! Agents of the generator say that they are alive, whatever their work is waiting for.
//!
//! On a slow disk, three requests of some hundred tasks each can take longer than a silent agent is believed. So
//! heartbeats have a connection and a clock of their own, as those of real agents have.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::wire::Wire;

/// How often an agent says that it is alive, as the server asks of agents.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Heartbeats of one agent, until this is dropped.
pub struct Alive(JoinHandle<()>);

impl Alive {
    /// Sends heartbeats of an agent over this connection from now on.
    pub fn over(mut wire: Wire, agent_id: &str) -> Self {
        let path = format!("/api/v1/agents/{agent_id}/heartbeat");
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let beat = wire.post::<serde_json::Value>(&path, b"{}".to_vec());
                if let Err(error) = beat.await {
                    // If it matters, the agent's next claim is refused and ends the run.
                    tracing::warn!(%error, "a heartbeat failed");
                }
            }
        }))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abort();
    }
}
