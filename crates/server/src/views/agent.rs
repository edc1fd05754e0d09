//! Agents.

use mcpanel_api::{
    agent::{
        Admission, Agent, AgentQuery, AgentStatus, Heartbeat, HeartbeatAnswer, RegisterAgent,
        ReportedStatus, UpdateAgent,
    },
    discovery::DiscoveredAgent,
};
use mcpanel_control::{AgentView, HeartbeatAnswer as Answer};
use mcpanel_domain::{
    AgentId,
    agent::{self as rules, Changes, Health, Registration, Status},
};
use mcpanel_store::query::Position;

/// What is written down for an agent that reports an error and does not say which.
const UNNAMED_ERROR: &str = "the agent reports an error without saying which";

/// An agent.
pub fn agent(view: &AgentView) -> Agent {
    let agent = &*view.agent;
    Agent {
        agent_id: agent.id.clone(),
        namespace: agent.namespace.clone(),
        name: agent.name.clone(),
        kind: agent.agent_type.clone(),
        capabilities: agent.capabilities.clone(),
        status: status(view.status),
        status_message: match &agent.health {
            Health::Well => None,
            Health::Error(why) => Some(why.clone()),
        },
        admission: match agent.admission {
            rules::Admission::Open => Admission::Open,
            rules::Admission::Draining => Admission::Draining,
            rules::Admission::Disabled => Admission::Disabled,
        },
        concurrency: agent.concurrency,
        slots_in_use: slots_in_use(view),
        session_id: Some(agent.session.id.clone()),
        last_heartbeat: Some(agent.session.last_heartbeat),
        registered_at: agent.registered_at,
        updated_at: agent.updated_at,
        metadata: agent.metadata.clone(),
        permissions: agent.permissions.clone(),
        version: agent.version.clone(),
        endpoint_url: agent.endpoint_url.clone(),
        health_check_url: agent.health_check_url.clone(),
        revision: agent.settings_revision,
    }
}

/// An agent as others find it.
pub fn discovered(view: &AgentView) -> DiscoveredAgent {
    let agent = &*view.agent;
    DiscoveredAgent {
        agent_id: agent.id.clone(),
        name: agent.name.clone(),
        kind: agent.agent_type.clone(),
        capabilities: agent.capabilities.clone(),
        status: status(view.status),
        free_slots: free_slots(view),
        version: agent.version.clone(),
        endpoint_url: agent.endpoint_url.clone(),
        last_heartbeat: Some(agent.session.last_heartbeat),
    }
}

/// How many tasks it could take now; none while it is given none.
pub fn free_slots(view: &AgentView) -> u32 {
    match view.agent.unavailable() {
        Some(_) => 0,
        None => view.agent.concurrency.saturating_sub(slots_in_use(view)),
    }
}

fn slots_in_use(view: &AgentView) -> u32 {
    let session = &view.agent.session.id;
    let held = view.leases.iter().filter(|held| held.session == *session);
    u32::try_from(held.count()).unwrap_or(u32::MAX)
}

fn status(status: Status) -> AgentStatus {
    match status {
        Status::Active => AgentStatus::Active,
        Status::Inactive => AgentStatus::Inactive,
        Status::Busy => AgentStatus::Busy,
        Status::Error => AgentStatus::Error,
        Status::Suspect => AgentStatus::Suspect,
    }
}

/// Where an agent stands in lists.
pub fn position(view: &AgentView) -> Position {
    Position {
        created_at: view.agent.registered_at,
        id: view.agent.id.to_string(),
    }
}

/// Whether a query asks for an agent.
pub fn matches(query: &AgentQuery, view: &AgentView) -> bool {
    query
        .status
        .is_none_or(|wanted| wanted == status(view.status))
        && query
            .capability
            .as_ref()
            .is_none_or(|wanted| view.agent.offers(std::slice::from_ref(wanted)))
        && query
            .kind
            .as_ref()
            .is_none_or(|wanted| *wanted == view.agent.agent_type)
}

/// A sign-on, as the rules take it. `fresh` makes the id that the caller left out.
pub fn registration(
    request: RegisterAgent,
    permissions: Vec<String>,
    fresh: impl FnOnce() -> AgentId,
) -> Registration {
    Registration {
        id: request.agent_id.unwrap_or_else(fresh),
        name: request.name,
        agent_type: request.kind,
        capabilities: request.capabilities,
        concurrency: request.concurrency,
        metadata: request.metadata.unwrap_or_default(),
        permissions,
        version: request.version,
        endpoint_url: request.endpoint_url,
        health_check_url: request.health_check_url,
    }
}

/// Changes to an agent, as the rules take them.
pub fn changes(request: UpdateAgent) -> Changes {
    Changes {
        name: request.name,
        agent_type: request.kind,
        capabilities: request.capabilities,
        concurrency: request.concurrency,
        metadata: request.metadata,
        version: request.version,
        endpoint_url: request.endpoint_url,
        health_check_url: request.health_check_url,
        admission: request.admission.map(|admission| match admission {
            Admission::Open => rules::Admission::Open,
            Admission::Draining => rules::Admission::Draining,
            Admission::Disabled => rules::Admission::Disabled,
        }),
    }
}

/// What a heartbeat says of the agent's health.
pub fn health(heartbeat: &Heartbeat) -> Option<Health> {
    heartbeat.status.map(|status| match status {
        ReportedStatus::Active => Health::Well,
        ReportedStatus::Error => Health::Error(
            heartbeat
                .message
                .clone()
                .unwrap_or_else(|| UNNAMED_ERROR.to_owned()),
        ),
    })
}

/// The answer to a heartbeat.
pub fn heartbeat(answer: Answer) -> HeartbeatAnswer {
    HeartbeatAnswer {
        agent_id: answer.view.agent.id.clone(),
        status: status(answer.view.status),
        heartbeat_interval_ms: answer.interval_ms,
        cancel: answer.cancel,
        lost: answer.lost,
        leases_expire_at: answer.view.agent.alive_until(),
    }
}
