//! Agents: sign-on, heartbeat, claim, settings.

use std::time::Duration;

use mcpanel_api::{
    AgentId,
    agent::{
        Agent, AgentPage, AgentQuery, AgentRegistered, Claim, Claimed, Heartbeat, HeartbeatAnswer,
        RegisterAgent, UpdateAgent,
    },
    discovery::DiscoveredAgents,
};
use reqwest::Method;

use crate::{Client, IdempotencyKey, Result};

impl Client {
    /// Signs an agent on; the answer holds its token.
    pub async fn register_agent(
        &self,
        agent: &RegisterAgent,
        key: &IdempotencyKey,
    ) -> Result<AgentRegistered> {
        self.post("/api/v1/agents/register", agent)
            .keyed(key)
            .answer()
            .await
    }

    /// A page of agents.
    pub async fn list_agents(&self, query: &AgentQuery) -> Result<AgentPage> {
        self.read("/api/v1/agents").query(query).answer().await
    }

    /// An agent.
    pub async fn get_agent(&self, id: &AgentId) -> Result<Agent> {
        self.read(&agent(id)).answer().await
    }

    /// Changes an agent, where it is still at `revision`; at any when `None`.
    pub async fn update_agent(
        &self,
        id: &AgentId,
        changes: &UpdateAgent,
        revision: Option<u64>,
    ) -> Result<Agent> {
        self.change(Method::PUT, &agent(id))
            .json(changes)
            .if_match(revision)
            .answer()
            .await
    }

    /// Signs an agent off; what it holds returns to the queue.
    pub async fn delete_agent(&self, id: &AgentId) -> Result<()> {
        self.change(Method::DELETE, &agent(id)).done().await
    }

    /// Says that an agent is alive, and what it holds.
    pub async fn heartbeat(&self, id: &AgentId, beat: &Heartbeat) -> Result<HeartbeatAnswer> {
        self.post(&format!("{}/heartbeat", agent(id)), beat)
            .repeatable()
            .answer()
            .await
    }

    /// Asks for work; waits for as long as `claim.wait_ms` says. Not repeated: work that an answer lost on the
    /// way carried comes back with the next heartbeat.
    pub async fn claim(&self, id: &AgentId, claim: &Claim) -> Result<Claimed> {
        self.post(&format!("{}/claim", agent(id)), claim)
            .waits(Duration::from_millis(claim.wait_ms.unwrap_or(0)))
            .answer()
            .await
    }

    /// The agents that are alive and offer a capability, or anything.
    pub async fn discover_agents(&self, query: &AgentQuery) -> Result<DiscoveredAgents> {
        self.read("/api/v1/discovery/agents")
            .query(query)
            .answer()
            .await
    }
}

fn agent(id: &AgentId) -> String {
    format!("/api/v1/agents/{id}")
}
