//! Leases: the right to work on a task, for a while.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AgentId, SessionId, Timestamp};

/// The right of one agent session to work on one attempt of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// The attempt, which is the fencing token: a later lease has a larger one.
    pub attempt: u32,
    /// What only the holder knows.
    pub nonce: u128,
    /// Who holds it.
    pub agent_id: AgentId,
    /// In which of its sessions.
    pub session: SessionId,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when without any heartbeat; heartbeats of the session extend it.
    pub expires_at: Timestamp,
    /// When the agent said that it began.
    pub started_at: Option<Timestamp>,
}

impl Lease {
    /// What the holder shows with each call.
    pub fn proof(&self) -> Proof {
        Proof {
            attempt: self.attempt,
            nonce: self.nonce,
        }
    }
}

/// What a caller shows to prove that it holds a lease. As text: `"<attempt>-<32 hex digits>"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The attempt.
    pub attempt: u32,
    /// The secret part.
    pub nonce: u128,
}

impl Proof {
    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let (attempt, nonce) = text.split_once('-')?;
        let plain = |part: &str, digits: fn(&u8) -> bool| part.as_bytes().iter().all(digits);
        if nonce.len() != 32
            || !plain(nonce, |b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            || !plain(attempt, u8::is_ascii_digit)
        {
            return None;
        }
        Some(Self {
            attempt: attempt.parse().ok()?,
            nonce: u128::from_str_radix(nonce, 16).ok()?,
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:032x}", self.attempt, self.nonce)
    }
}

impl fmt::Debug for Proof {
    /// Hides the secret part: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({}-…)", self.attempt)
    }
}
