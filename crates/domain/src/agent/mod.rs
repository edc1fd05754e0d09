//! Agents: programs that sign on, send heartbeats and take work.
//!
//! Each registration opens a new [`Session`]. Leases belong to a session, so an agent that was restarted under
//! its old name cannot hide the orphans of its former self. How many tasks an agent holds is
//! counted from live leases; nothing here counts slots.

mod decide;
mod settings;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use decide::{Command, Decision, decide, event, register};
pub use settings::{Changes, Registration};

use crate::{
    AgentId, Name, Namespace, Payload, SessionId, Timestamp,
    limits::{LEASE_TTL_MS, SUSPECT_AFTER_MS},
};

/// A program that takes work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its id, unique within the namespace.
    pub id: AgentId,
    /// Whose it is.
    pub namespace: Namespace,
    /// Counts changes, from 1.
    pub revision: u64,
    /// Counts changes of its settings, leaving heartbeats out: what a caller's `If-Match` is compared with.
    pub settings_revision: u64,
    /// What people call it.
    pub name: String,
    /// `bias-detector`, `emotion-analyzer`, `therapist`, or another word.
    pub agent_type: Name,
    /// What it can do; sorted, without repeats.
    pub capabilities: Vec<Name>,
    /// Most tasks it holds at once.
    pub concurrency: u32,
    /// Its newest sign-on.
    pub session: Session,
    /// Whether it is heard.
    pub liveness: Liveness,
    /// What it says of its own health.
    pub health: Health,
    /// Whether an operator keeps work from it.
    pub admission: Admission,
    /// Free-form.
    pub metadata: Payload,
    /// What its token allows.
    pub permissions: Vec<String>,
    /// Its own version.
    pub version: Option<String>,
    /// Where it can be reached.
    pub endpoint_url: Option<String>,
    /// Where it says how it is.
    pub health_check_url: Option<String>,
    /// When it first signed on.
    pub registered_at: Timestamp,
    /// When the document last changed.
    pub updated_at: Timestamp,
}

/// One sign-on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, also in the token.
    pub id: SessionId,
    /// Counts the agent's sign-ons, from 1.
    pub epoch: u32,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it was last heard.
    pub last_heartbeat: Timestamp,
}

/// Whether an agent is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Liveness {
    /// Heartbeats come.
    Active,
    /// Two were missed.
    Suspect,
    /// Silent for as long as a lease lasts: its leases are over.
    Inactive,
}

/// What an agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// It can work.
    Well,
    /// It cannot; the sentence says why.
    Error(String),
}

/// Whether an operator keeps work from an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Admission {
    /// It is given work.
    Open,
    /// It finishes what it holds and is given nothing new.
    Draining,
    /// It is given nothing.
    Disabled,
}

/// The specification's status, and `suspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Heard, and has room.
    Active,
    /// Not heard for longer than a lease.
    Inactive,
    /// Heard, all slots in use.
    Busy,
    /// Says that it cannot work.
    Error,
    /// Missed heartbeats.
    Suspect,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Inactive,
        Self::Busy,
        Self::Error,
        Self::Suspect,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Busy => "busy",
            Self::Error => "error",
            Self::Suspect => "suspect",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl Agent {
    /// The status that callers see, given how many live leases it has.
    pub fn status(&self, leases: u32) -> Status {
        match (&self.liveness, &self.health) {
            (Liveness::Inactive, _) => Status::Inactive,
            (Liveness::Suspect, _) => Status::Suspect,
            (Liveness::Active, Health::Error(_)) => Status::Error,
            (Liveness::Active, Health::Well) if leases >= self.concurrency => Status::Busy,
            (Liveness::Active, Health::Well) => Status::Active,
        }
    }

    /// Until when the heartbeats of its present session keep its leases.
    pub fn alive_until(&self) -> Timestamp {
        self.session.last_heartbeat.plus_ms(LEASE_TTL_MS)
    }

    /// Why it is given no work now, if it is given none. Slots are not considered.
    pub fn unavailable(&self) -> Option<&'static str> {
        match (self.liveness, &self.health, self.admission) {
            (Liveness::Inactive, _, _) => Some("it is inactive; it must send a heartbeat first"),
            (_, Health::Error(_), _) => Some("it reports an error"),
            (_, _, Admission::Draining) => Some("it is draining"),
            (_, _, Admission::Disabled) => Some("it is disabled"),
            (Liveness::Active | Liveness::Suspect, Health::Well, Admission::Open) => None,
        }
    }

    /// Whether it offers all of `needed` (sorted).
    pub fn offers(&self, needed: &[Name]) -> bool {
        needed
            .iter()
            .all(|name| self.capabilities.binary_search(name).is_ok())
    }

    /// When [`Command::Tick`] next has something to do.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self.liveness {
            Liveness::Active => Some(self.session.last_heartbeat.plus_ms(SUSPECT_AFTER_MS)),
            Liveness::Suspect => Some(self.alive_until()),
            Liveness::Inactive => None,
        }
    }
}
