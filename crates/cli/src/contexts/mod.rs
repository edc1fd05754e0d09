//! Contexts: servers by name, each with the credential for it, in a file that its owner alone may read.
//!
//! ```toml
//! current = "local"
//!
//! [contexts.local]
//! url = "http://127.0.0.1:8080"
//! credential = "mcp_…"
//! ```
//!
//! The file is `$XDG_CONFIG_HOME/mcpanel/config.toml`, else `~/.config/mcpanel/config.toml`. It is replaced as a
//! whole, so that a reader never finds half of it.

mod file;
mod name;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Failure, Result};
pub use file::{load, path, save};
pub use name::ContextName;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contexts {
    /// The one that is used when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<ContextName>,
    /// All there are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<ContextName, Context>,
}

/// A server, and as whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Where the server is.
    pub url: String,
    /// An API key or a token; none when somebody else gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("url", &self.url)
            .field("credential", &self.credential.as_ref().map(|_| "***"))
            .finish()
    }
}

impl Contexts {
    /// The context of this name.
    pub fn get(&self, name: &ContextName) -> Result<&Context> {
        self.contexts.get(name).ok_or_else(|| self.missing(name))
    }

    /// That there is no context of this name.
    pub fn missing(&self, name: &ContextName) -> Failure {
        let names: Vec<&str> = self.contexts.keys().map(ContextName::as_str).collect();
        let hint = if names.is_empty() {
            format!("there is none yet; make it with `mcpanel context add {name} --url URL`")
        } else {
            format!(
                "there are {}; `mcpanel context add` makes another",
                names.join(", ")
            )
        };
        Failure::new(format!("there is no context `{name}`"))
            .exit(crate::exit::Exit::NotFound)
            .hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let context = Context {
            url: "http://127.0.0.1:1".to_owned(),
            credential: Some("mcp_hidden".to_owned()),
        };
        assert!(!format!("{context:?}").contains("hidden"));
    }
}
