//! What there is to be found: the server's own services, and agents by what they offer.

use mcpanel_domain::{AgentId, Name, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{agent::AgentStatus, health::Health, schema};

/// A service of this server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    #[schema(value_type = schema::Name)]
    pub name: Name,
    /// What it does.
    pub description: String,
    /// Where it is, relative to this server, or absolute.
    pub url: String,
    /// How it is spoken to: `http`, `sse`, `websocket`.
    pub protocol: String,
    pub version: String,
    pub status: Health,
}

/// The services of this server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Services {
    pub services: Vec<Service>,
}

/// An agent that can be found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiscoveredAgent {
    #[schema(value_type = schema::Id)]
    pub agent_id: AgentId,
    pub name: String,
    #[serde(rename = "type")]
    #[schema(value_type = schema::Name)]
    pub kind: Name,
    #[schema(value_type = Vec<schema::Name>)]
    pub capabilities: Vec<Name>,
    pub status: AgentStatus,
    /// How many more tasks it could take now.
    pub free_slots: u32,
    pub version: Option<String>,
    pub endpoint_url: Option<String>,
    #[schema(value_type = Option<schema::Time>)]
    pub last_heartbeat: Option<Timestamp>,
}

/// What agents offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Capability {
    #[schema(value_type = schema::Name)]
    pub capability: Name,
    /// Agents that offer it and are alive.
    pub agents: u32,
    /// How many more tasks they could take now.
    pub free_slots: u32,
}

/// The agents that are alive, and what they offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiscoveredAgents {
    pub agents: Vec<DiscoveredAgent>,
    pub capabilities: Vec<Capability>,
    #[schema(value_type = Option<schema::Cursor>)]
    pub next_cursor: Option<String>,
}
