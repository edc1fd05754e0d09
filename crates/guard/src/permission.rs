//! What a route asks for and a credential holds.

use std::{fmt, str::FromStr};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// One permission.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission { $($(#[$doc])* $name,)+ }

        impl Permission {
            /// Every permission, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire, such as `task:read`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

permissions! {
    /// Claim, run and end tasks (specification).
    TaskExecute = "task:execute",
    /// See tasks (specification).
    TaskRead = "task:read",
    /// Create and execute pipelines (specification).
    PipelineCreate = "pipeline:create",
    /// See pipelines and templates (specification).
    PipelineRead = "pipeline:read",
    /// Sign agents on (specification).
    AgentRegister = "agent:register",
    /// See agents (specification).
    AgentRead = "agent:read",
    /// See how the server is, in detail (specification).
    SystemHealth = "system:health",
    /// Create tasks.
    TaskCreate = "task:create",
    /// Change, delegate, cancel and retry tasks.
    TaskManage = "task:manage",
    /// Change, cancel and retry pipelines.
    PipelineManage = "pipeline:manage",
    /// Change and unregister agents other than oneself.
    AgentManage = "agent:manage",
    /// Read the bytes of artifacts.
    ArtifactRead = "artifact:read",
    /// Store artifacts.
    ArtifactWrite = "artifact:write",
    /// Read and follow events.
    EventRead = "event:read",
    /// Store templates.
    TemplateManage = "template:manage",
    /// Make and revoke API keys.
    KeyManage = "key:manage",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no permission; there are {}", words(Permissions::all()))]
pub struct UnknownPermission {
    word: String,
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(word: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == word)
            .ok_or_else(|| UnknownPermission {
                word: word.to_owned(),
            })
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Every permission.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// What an agent's token allows: do its work and see what the work belongs to.
    pub fn of_agent() -> Self {
        [
            Permission::TaskExecute,
            Permission::TaskRead,
            Permission::PipelineRead,
            Permission::AgentRead,
            Permission::SystemHealth,
            Permission::ArtifactRead,
            Permission::ArtifactWrite,
        ]
        .into_iter()
        .collect()
    }

    /// Reads words; lists every word that is no permission, with its place.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Vec<(usize, UnknownPermission)>> {
        let mut found = Self::NONE;
        let mut unknown = Vec::new();
        for (at, word) in words.into_iter().enumerate() {
            match word.parse::<Permission>() {
                Ok(permission) => found = found.with(permission),
                Err(error) => unknown.push((at, error)),
            }
        }
        if unknown.is_empty() {
            Ok(found)
        } else {
            Err(unknown)
        }
    }

    /// The set and one permission more.
    #[must_use]
    pub fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u32)
    }

    /// Whether `permission` is in the set.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// What is in the set and not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The permissions, in order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.contains(*permission))
    }

    /// The words, in order.
    pub fn words(self) -> Vec<String> {
        self.iter()
            .map(|permission| permission.as_str().to_owned())
            .collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Permission::as_str))
            .finish()
    }
}

fn words(permissions: Permissions) -> String {
    permissions
        .words()
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_words_of_the_specification() {
        for word in [
            "task:execute",
            "task:read",
            "pipeline:create",
            "pipeline:read",
            "agent:register",
            "agent:read",
            "system:health",
        ] {
            assert_eq!(word.parse::<Permission>().unwrap().as_str(), word);
        }
    }

    #[test]
    fn every_unknown_word_is_listed_with_its_place() {
        let unknown = Permissions::parse(["task:read", "task:fly", "root"]).unwrap_err();
        let places: Vec<usize> = unknown.iter().map(|(at, _)| *at).collect();
        assert_eq!(places, [1, 2]);
        assert!(
            unknown[0]
                .1
                .to_string()
                .starts_with("`task:fly` is no permission; there are `task:execute`")
        );
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = Permissions::parse(["task:read", "key:manage"]).unwrap();
        assert!(set.contains(Permission::TaskRead) && set.contains(Permission::KeyManage));
        assert!(!set.contains(Permission::TaskExecute));
        assert_eq!(set.words(), ["task:read", "key:manage"]);
        assert_eq!(
            Permissions::all().without(set).iter().count(),
            Permission::ALL.len() - 2
        );
    }
}
