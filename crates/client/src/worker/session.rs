//! One sign-on.

use std::time::{Duration, Instant};

use mcpanel_api::{AgentId, agent::RegisterAgent};

use super::End;
use crate::{Client, Credential, Error, IdempotencyKey, Result};

/// The part of a token's life after which the agent signs on anew, as soon as it holds nothing.
const RENEW_AFTER: f64 = 0.8;

/// A sign-on: who we are, and what the server promised.
pub(super) struct Session {
    /// Calls as the agent.
    pub(super) client: Client,
    pub(super) agent_id: AgentId,
    pub(super) concurrency: usize,
    /// How often to beat.
    pub(super) interval: Duration,
    renew_at: Option<Instant>,
}

impl Session {
    /// Signs on.
    pub(super) async fn open(client: &Client, registration: &RegisterAgent) -> Result<Self> {
        let registered = client
            .register_agent(registration, &IdempotencyKey::random())
            .await?;
        let agent = registered.agent;
        // Both moments are the server's, so that a wrong clock here does not matter.
        let life_ms = registered.token_expires_at.ms_since(agent.updated_at);
        let life = Duration::from_millis(life_ms).mul_f64(RENEW_AFTER);
        let ttl = Duration::from_millis(registered.lease_ttl_ms);
        tracing::debug!(agent.id = %agent.agent_id, session.id = %registered.session_id, "signed on");
        Ok(Self {
            client: client
                .with_credential(Credential::Token(registered.token))?
                .with_patience(ttl),
            agent_id: agent.agent_id,
            concurrency: usize::try_from(agent.concurrency).unwrap_or(1).max(1),
            interval: Duration::from_millis(registered.heartbeat_interval_ms),
            renew_at: Instant::now().checked_add(life),
        })
    }

    /// Whether it is time to sign on anew.
    pub(super) fn is_old(&self) -> bool {
        self.renew_at.is_some_and(|at| Instant::now() >= at)
    }

    /// Signs off; a server that does not hear it notices the silence.
    pub(super) async fn sign_off(&self) {
        let client = self.client.with_patience(Duration::ZERO);
        if let Err(error) = client.delete_agent(&self.agent_id).await {
            tracing::debug!(agent.id = %self.agent_id, error = %error.chain(), "cannot sign off");
        }
    }
}

/// How the session ended, where this error says that it did.
pub(super) fn ended_by(error: &Error) -> Option<End> {
    match error.code()? {
        "session_superseded" => Some(End::Superseded),
        "not_found" => Some(End::SignedOff),
        // Its token is worth nothing any more, which another sign-on may mend and repeating does not.
        "unauthenticated" | "forbidden" => Some(End::Refused {
            why: error.to_string(),
        }),
        _ => None,
    }
}
