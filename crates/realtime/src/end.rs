//! Why the server ends a socket. Each is said before the end, so that clients need not guess.

use mcpanel_api::{Problem, socket::DisconnectReason};
use mcpanel_guard::Principal;

/// The event that says why.
pub(crate) const EVENT: &str = "disconnect:reason";

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The credential ran out.
    Expired,
    /// The API key was revoked.
    Revoked,
    /// The agent opened another session.
    Superseded,
    /// The same session attached on another socket.
    AttachedElsewhere,
    /// The agent was signed off.
    Unregistered,
    /// It took nothing for too long.
    SlowReader,
    /// It sends too much and does not listen.
    TooMany,
    /// The server stops.
    Stopping,
}

impl End {
    /// Every one, in the order in which they stand above.
    pub(crate) const ALL: [Self; 8] = [
        Self::Expired,
        Self::Revoked,
        Self::Superseded,
        Self::AttachedElsewhere,
        Self::Unregistered,
        Self::SlowReader,
        Self::TooMany,
        Self::Stopping,
    ];

    /// The word by which programs tell it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Revoked => "key_revoked",
            Self::Superseded => "session_superseded",
            Self::AttachedElsewhere => "attached_elsewhere",
            Self::Unregistered => "agent_unregistered",
            Self::SlowReader => "slow_reader",
            Self::TooMany => "too_many",
            Self::Stopping => "stopping",
        }
    }

    /// The end that a refusal means for the socket of who was refused, if it means one.
    pub(crate) fn of(problem: &Problem, caller: &Principal) -> Option<Self> {
        match (problem.code.as_str(), caller.agent()) {
            ("session_superseded", _) => Some(Self::Superseded),
            ("unauthenticated", Some(_)) => Some(Self::Unregistered),
            ("unauthenticated", None) => Some(Self::Revoked),
            _ => None,
        }
    }

    /// What clients are told.
    pub(crate) fn reason(self) -> DisconnectReason {
        let (detail, retry) = match self {
            Self::Expired => (
                "the credentials of this socket ran out; connect with new ones",
                false,
            ),
            Self::Revoked => (
                "the credentials of this socket are not valid any more",
                false,
            ),
            Self::Superseded => ("a newer session of this agent exists", false),
            Self::AttachedElsewhere => (
                "this session has its tasks pushed to another socket now",
                false,
            ),
            Self::Unregistered => ("the agent was signed off", false),
            Self::SlowReader => (
                "this socket took nothing for too long; come back with the number of the last event",
                true,
            ),
            Self::TooMany => (
                "this socket sends too much and does not heed refusals",
                true,
            ),
            Self::Stopping => (
                "the server stops; come back with the number of the last event",
                true,
            ),
        };
        DisconnectReason {
            code: self.code().to_owned(),
            detail: detail.to_owned(),
            retry,
        }
    }
}
