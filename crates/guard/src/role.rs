//! Roles: sets of permissions with a word, as a start for choosing what a key may.

use crate::{Permission, Permissions};

/// A set of permissions that people give as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// Sees everything.
    ReadOnly,
    /// Also starts, cancels and retries.
    Operator,
    /// Signs on and does work.
    Agent,
    /// May everything, giving access too.
    Admin,
}

impl KeyRole {
    /// Every role, from those that may least.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::Operator, Self::Agent, Self::Admin];

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Operator => "operator",
            Self::Agent => "agent",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What it may.
    pub fn permissions(self) -> Permissions {
        use Permission as P;
        let read = [
            P::TaskRead,
            P::PipelineRead,
            P::AgentRead,
            P::EventRead,
            P::ArtifactRead,
            P::SystemHealth,
        ];
        let operate = [
            P::TaskCreate,
            P::TaskManage,
            P::PipelineCreate,
            P::PipelineManage,
            P::AgentManage,
            P::ArtifactWrite,
        ];
        match self {
            Self::ReadOnly => read.into_iter().collect(),
            Self::Operator => read.into_iter().chain(operate).collect(),
            Self::Agent => Permissions::of_agent().with(P::AgentRegister),
            Self::Admin => Permissions::all(),
        }
    }

    /// The role that is exactly this set; none for any other.
    pub fn of(permissions: Permissions) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|role| role.permissions() == permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_its_exact_set_and_nothing_near_it() {
        for role in KeyRole::ALL {
            assert_eq!(KeyRole::parse(role.as_str()), Some(role));
            assert_eq!(KeyRole::of(role.permissions()), Some(role));
        }
        let less = KeyRole::Operator
            .permissions()
            .without(Permissions::NONE.with(Permission::TaskManage));
        assert_eq!(KeyRole::of(less), None);
        let more = KeyRole::ReadOnly.permissions().with(Permission::KeyManage);
        assert_eq!(KeyRole::of(more), None);
        assert_eq!(KeyRole::of(Permissions::NONE), None);
    }
}
