//! Whose credentials are whose: by the store, or by the signature alone where there is no store.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_control::Env;
use mcpanel_domain::Timestamp;
use mcpanel_guard::{Principal, Secret, Tokens};
use mcpanel_realtime::{
    ports::{Answer, Credential, Identify, Identity},
    refusal::Refusal,
};

use super::desk::refused;
use crate::{auth::Authenticator, env::SystemEnv};

/// The credentials that the routes know.
pub(super) struct Credentials {
    authenticator: Arc<Authenticator>,
    env: Arc<dyn Env>,
}

impl Credentials {
    pub(super) fn new(authenticator: Arc<Authenticator>, env: Arc<dyn Env>) -> Self {
        Self { authenticator, env }
    }
}

#[async_trait]
impl Identify for Credentials {
    async fn identify(&self, shown: &Credential) -> Answer<Identity> {
        let identified = match shown {
            Credential::Bearer(text) => self.authenticator.bearer(text).await,
            Credential::Key(text) => self.authenticator.key(text).await,
        };
        let identified = identified.map_err(refused)?;
        Ok(Identity {
            principal: identified.principal,
            expires_at: identified.expires_at,
        })
    }

    async fn still(&self, principal: &Principal) -> Answer<()> {
        self.authenticator.still(principal).await.map_err(refused)
    }

    fn now(&self) -> Timestamp {
        self.env.now()
    }
}

/// Tokens by their signature. Whether the key that bought one was revoked is in the store, which this does not see: a
/// revocation ends the sockets that are open when it is told, and keeps nobody from coming back until the token ends.
pub(super) struct Signatures {
    tokens: Tokens,
}

impl Signatures {
    pub(super) fn new(secret: &Secret) -> Self {
        Self {
            tokens: Tokens::new(secret),
        }
    }
}

#[async_trait]
impl Identify for Signatures {
    async fn identify(&self, shown: &Credential) -> Answer<Identity> {
        let Credential::Bearer(token) = shown else {
            return Err(Refusal::Unauthenticated
                .because("this instance only shows events and takes tokens, not API keys; buy one with `POST /api/v1/auth/token`"));
        };
        let read = self.tokens.read_with_end(token, SystemEnv::now());
        let (principal, end) =
            read.map_err(|error| Refusal::Unauthenticated.because(error.to_string()))?;
        Ok(Identity {
            principal,
            expires_at: Some(end),
        })
    }

    async fn still(&self, _: &Principal) -> Answer<()> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        SystemEnv::now()
    }
}
