//! On whose behalf something is done.

use std::sync::Arc;

use mcpanel_domain::{AgentId, Namespace};

/// A caller, as far as the business layer needs to know one. What it may do was checked before.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose documents it sees.
    pub namespace: Namespace,
    /// Who it is, for `created_by` and the like.
    pub actor: Arc<str>,
    /// The agent it is, if it is one: it may act only on leases of its own.
    pub agent: Option<AgentId>,
}

impl Scope {
    /// A caller that is no agent.
    pub fn new(namespace: Namespace, actor: impl Into<Arc<str>>) -> Self {
        Self {
            namespace,
            actor: actor.into(),
            agent: None,
        }
    }
}
