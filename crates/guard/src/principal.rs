//! A caller whose credential was checked.

use mcpanel_domain::{AgentId, KeyId, Namespace, SessionId};

use crate::permission::{Permission, Permissions};

/// A caller whose credential was checked. It decides the namespace: nobody asks for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who it is.
    pub role: Role,
    /// Whose documents it sees.
    pub namespace: Namespace,
    /// What it may.
    pub permissions: Permissions,
}

/// Who a principal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The holder of the server's own administrator key.
    Admin,
    /// The holder of an API key, or of a token bought with it.
    Key(KeyId),
    /// An agent, in one of its sessions.
    Agent {
        agent_id: AgentId,
        session: SessionId,
    },
}

impl Principal {
    /// The administrator, in the default namespace.
    pub fn admin() -> Self {
        Self {
            role: Role::Admin,
            namespace: Namespace::default_namespace(),
            permissions: Permissions::all(),
        }
    }

    /// Whether it holds `permission`.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// What is written down as `created_by`: `admin`, `key:<id>` or `agent:<id>`.
    pub fn actor(&self) -> String {
        match &self.role {
            Role::Admin => "admin".to_owned(),
            Role::Key(id) => format!("key:{id}"),
            Role::Agent { agent_id, .. } => format!("agent:{agent_id}"),
        }
    }

    /// The agent and its session, if it is one.
    pub fn agent(&self) -> Option<(&AgentId, &SessionId)> {
        match &self.role {
            Role::Agent { agent_id, session } => Some((agent_id, session)),
            Role::Admin | Role::Key(_) => None,
        }
    }
}
