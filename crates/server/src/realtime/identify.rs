//! Whose credentials are whose.

use std::sync::Arc;

use async_trait::async_trait;
use mcpanel_control::Env;
use mcpanel_domain::Timestamp;
use mcpanel_guard::Principal;
use mcpanel_realtime::ports::{Answer, Credential, Identify, Identity};

use super::desk::refused;
use crate::auth::Authenticator;

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
