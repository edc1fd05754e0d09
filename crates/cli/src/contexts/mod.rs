//! Contexts: servers by name, each with the credential for it, in a file that its owner alone may read.
//!
//! ```toml
//! current = "local"
//!
//! [contexts.local]
//! url = "http://127.0.0.1:8080"
//! credential = "mcp_…"
//!
//! [contexts.prod]
//! url = "https://panel.example.org"
//! credential = "mcp_…"
//! namespace = "team-a"
//! ca_file = "/etc/ssl/our-authority.pem"
//! ```
//!
//! The file is `$XDG_CONFIG_HOME/mcpanel/config.toml`, else `~/.config/mcpanel/config.toml`. It is replaced as a
//! whole, so that a reader never finds half of it.

mod file;
mod name;

use std::{collections::BTreeMap, path::PathBuf};

use mcpanel_api::Namespace;
use mcpanel_client::{Config, Credential, Transport};
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Result,
    arguments::Global,
    connect::{self, before_context, environment},
};
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
    /// Whose documents are meant; those of the credential's namespace when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// The file of the authorities whose certificates are trusted; those of the system when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Whether the credential may travel there without encryption.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_http: bool,
}

impl Context {
    /// A server, and nothing else said.
    pub fn of(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credential: None,
            namespace: None,
            ca_file: None,
            allow_http: false,
        }
    }

    /// The same with what was typed beside the server, or the environment says.
    pub fn with_given(self, global: &Global) -> Result<Self> {
        let is_typed = global.context.is_some();
        let namespace = match &global.namespace {
            Some(typed) => Some(typed.clone()),
            None => before_context(is_typed, self.namespace, environment::namespace)?,
        };
        let ca_file = match &global.ca_file {
            Some(typed) => Some(typed.clone()),
            None => before_context(is_typed, self.ca_file, environment::ca_file)?,
        };
        let kept = self.allow_http.then_some(true);
        let allow_http = global.allow_http
            || before_context(is_typed, kept, environment::allow_http)? == Some(true);
        Ok(Self {
            namespace,
            // It will be read from other folders than this.
            ca_file: ca_file.map(std::path::absolute).transpose()?,
            allow_http,
            ..self
        })
    }

    /// What a client is made of.
    pub fn config(&self) -> Result<Config> {
        let trust = self.ca_file.as_deref().map(connect::trusted).transpose()?;
        let credential = self.credential.as_deref();
        Ok(Config {
            transport: Transport {
                trust: trust.unwrap_or_default(),
                allow_plain: self.allow_http,
            },
            namespace: self.namespace.clone(),
            ..Config::new(&self.url, credential.map_or(Credential::None, connect::of))
        })
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("url", &self.url)
            .field("credential", &self.credential.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
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
            credential: Some("mcp_hidden".to_owned()),
            ..Context::of("http://127.0.0.1:1")
        };
        assert!(!format!("{context:?}").contains("hidden"));
    }
}
