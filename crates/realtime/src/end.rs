//! Why the server ends a socket. Each is said before the end, so that clients need not guess.

use mcpanel_api::{Problem, socket::DisconnectReason};
use mcpanel_guard::Principal;

/// The event that says why.
pub(crate) const EVENT: &str = "disconnect:reason";

/// Why a socket ends.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub(crate) fn reason(&self) -> DisconnectReason {
        let (code, detail, retry) = match self {
            Self::Expired => (
                "token_expired",
                "the credentials of this socket ran out; connect with new ones",
                false,
            ),
            Self::Revoked => (
                "key_revoked",
                "the credentials of this socket are not valid any more",
                false,
            ),
            Self::Superseded => (
                "session_superseded",
                "a newer session of this agent exists",
                false,
            ),
            Self::AttachedElsewhere => (
                "attached_elsewhere",
                "this session has its tasks pushed to another socket now",
                false,
            ),
            Self::Unregistered => ("agent_unregistered", "the agent was signed off", false),
            Self::SlowReader => (
                "slow_reader",
                "this socket took nothing for too long; come back with the number of the last event",
                true,
            ),
            Self::TooMany => (
                "too_many",
                "this socket sends too much and does not heed refusals",
                true,
            ),
            Self::Stopping => (
                "stopping",
                "the server stops; come back with the number of the last event",
                true,
            ),
        };
        DisconnectReason {
            code: code.to_owned(),
            detail: detail.to_owned(),
            retry,
        }
    }
}
