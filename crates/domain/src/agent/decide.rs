//! The one door through which an agent changes.

use super::{Admission, Agent, Changes, Health, Liveness, Registration, Session, settings::sorted};
use crate::{
    Namespace, Rejection, SessionId, Timestamp,
    event::{Event, Kind},
    limits::SUSPECT_AFTER_MS,
};

/// What can be asked of a registered agent.
#[derive(Debug, Clone)]
pub enum Command {
    /// It is alive, in this session; it may say how it is.
    Heartbeat {
        session: SessionId,
        health: Option<Health>,
    },
    /// Somebody changes its settings.
    Update(Changes),
    /// Time has passed: see [`Agent::next_due`].
    Tick,
}

/// What the rules answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The new document; `None` when nothing changes.
    pub agent: Option<Agent>,
    /// What to record in the same commit.
    pub events: Vec<Event>,
}

/// A sign-on: opens a new session, whether the agent was known or not. The leases of the former
/// session are over; who calls this takes them back after the commit.
pub fn register(
    known: Option<&Agent>,
    registration: Registration,
    namespace: &Namespace,
    session: SessionId,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let faults = registration.faults();
    if !faults.is_empty() {
        return Err(Rejection::Invalid { faults });
    }
    let now = known.map_or(now, |known| now.not_before(known.updated_at));
    let concurrency = registration.concurrency();
    let agent = Agent {
        id: registration.id,
        namespace: namespace.clone(),
        revision: known.map_or(0, |known| known.revision) + 1,
        settings_revision: known.map_or(0, |known| known.settings_revision) + 1,
        name: registration.name,
        agent_type: registration.agent_type,
        capabilities: sorted(registration.capabilities),
        concurrency,
        session: Session {
            id: session,
            epoch: known.map_or(0, |known| known.session.epoch) + 1,
            opened_at: now,
            last_heartbeat: now,
        },
        liveness: Liveness::Active,
        health: Health::Well,
        // An operator's word outlives a restart; draining was meant for the former process.
        admission: match known.map(|known| known.admission) {
            Some(Admission::Disabled) => Admission::Disabled,
            Some(Admission::Open | Admission::Draining) | None => Admission::Open,
        },
        metadata: registration.metadata,
        permissions: registration.permissions,
        version: registration.version,
        endpoint_url: registration.endpoint_url,
        health_check_url: registration.health_check_url,
        registered_at: known.map_or(now, |known| known.registered_at),
        updated_at: now,
    };
    let registered = event(&agent, Kind::AgentRegistered, now);
    let events = vec![registered.with_capabilities(&agent.capabilities)];
    Ok(Decision {
        agent: Some(agent),
        events,
    })
}

/// Decides what `command` does to `agent` at `now`.
pub fn decide(agent: &Agent, command: Command, now: Timestamp) -> Result<Decision, Rejection> {
    let now = now.not_before(agent.updated_at);
    match command {
        Command::Heartbeat { session, health } => heartbeat(agent, &session, health, now),
        Command::Update(changes) => update(agent, changes, now),
        Command::Tick => Ok(tick(agent, now)),
    }
}

fn heartbeat(
    agent: &Agent,
    session: &SessionId,
    health: Option<Health>,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    if agent.session.id != *session {
        return Err(Rejection::SessionSuperseded {
            agent_id: agent.id.clone(),
        });
    }
    let mut next = next(agent, now);
    let mut events = Vec::new();
    next.session.last_heartbeat = now.not_before(agent.session.last_heartbeat);
    if agent.liveness != Liveness::Active {
        next.liveness = Liveness::Active;
        events.push(event(&next, Kind::AgentRecovered, now));
    }
    if let Some(health) = health
        && health != agent.health
    {
        next.health = health;
        events.push(event(&next, Kind::AgentUpdated, now));
    }
    Ok(Decision {
        agent: Some(next),
        events,
    })
}

fn update(agent: &Agent, changes: Changes, now: Timestamp) -> Result<Decision, Rejection> {
    let faults = changes.faults();
    if !faults.is_empty() {
        return Err(Rejection::Invalid { faults });
    }
    let mut next = next(agent, now);
    next.settings_revision += 1;
    if let Some(name) = changes.name {
        next.name = name;
    }
    if let Some(agent_type) = changes.agent_type {
        next.agent_type = agent_type;
    }
    if let Some(capabilities) = changes.capabilities {
        next.capabilities = sorted(capabilities);
    }
    if let Some(concurrency) = changes.concurrency {
        next.concurrency = concurrency;
    }
    if let Some(metadata) = changes.metadata {
        next.metadata = metadata;
    }
    if changes.version.is_some() {
        next.version = changes.version;
    }
    if let Some(url) = changes.endpoint_url {
        next.endpoint_url = url;
    }
    if let Some(url) = changes.health_check_url {
        next.health_check_url = url;
    }
    if let Some(admission) = changes.admission {
        next.admission = admission;
    }
    let events = vec![event(&next, Kind::AgentUpdated, now)];
    Ok(Decision {
        agent: Some(next),
        events,
    })
}

fn tick(agent: &Agent, now: Timestamp) -> Decision {
    if agent.session.last_heartbeat.is_from_a_wrong_clock(now) {
        // Nobody knows when it was last heard. It is given the time of one that was heard just now, and not until a
        // clock that was wrong is reached.
        let mut next = next(agent, now);
        next.session.last_heartbeat = now;
        next.session.opened_at = next.session.opened_at.min(now);
        return Decision {
            agent: Some(next),
            events: Vec::new(),
        };
    }
    let liveness = if agent.alive_until() <= now {
        Liveness::Inactive
    } else if agent.session.last_heartbeat.plus_ms(SUSPECT_AFTER_MS) <= now {
        Liveness::Suspect
    } else {
        Liveness::Active
    };
    let kind = match (agent.liveness, liveness) {
        (Liveness::Active, Liveness::Suspect) => Kind::AgentSuspected,
        (Liveness::Active | Liveness::Suspect, Liveness::Inactive) => Kind::AgentInactivated,
        // Only a heartbeat makes an agent active again.
        (Liveness::Active, Liveness::Active)
        | (Liveness::Suspect, Liveness::Active | Liveness::Suspect)
        | (Liveness::Inactive, _) => {
            return Decision {
                agent: None,
                events: Vec::new(),
            };
        }
    };
    let mut next = next(agent, now);
    next.liveness = liveness;
    let events = vec![event(&next, kind, now)];
    Decision {
        agent: Some(next),
        events,
    }
}

fn next(agent: &Agent, now: Timestamp) -> Agent {
    let mut next = agent.clone();
    next.revision += 1;
    next.updated_at = now;
    next
}

/// An event about `agent` as it is now.
pub fn event(agent: &Agent, kind: Kind, at: Timestamp) -> Event {
    let mut event = Event::new(kind, at, agent.namespace.clone());
    event.agent_id = Some(agent.id.clone());
    event.status = Some(agent.status(0).as_str().into());
    event.subject = Some(agent.agent_type.as_str().to_owned());
    event.message = match &agent.health {
        Health::Error(why) => Some(why.clone()),
        Health::Well => None,
    };
    event
}
