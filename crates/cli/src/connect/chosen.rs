//! The context in use, and what it says beside what was typed and what the environment says.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mcpanel_api::Namespace;
use mcpanel_client::{Credential, Transport, Trust, server_url};

use super::{Source, URL_DEFAULT, credential::of, is_here};
use crate::{
    Failure, Result,
    arguments::{self, Global},
    contexts::{self, Context, ContextName, Contexts},
};

/// The context in use, and who chose it.
pub struct Chosen {
    context: Option<(ContextName, Context)>,
    is_typed: bool,
}

impl Chosen {
    pub fn read(global: &Global) -> Result<Self> {
        let named = match &global.context {
            Some(name) => Some(name.clone()),
            None => variable("MCPANEL_CONTEXT")?,
        };
        let named: Option<ContextName> = named
            .map(|name| name.parse().map_err(Failure::usage))
            .transpose()?;
        let contexts = contexts::load()?;
        let name = named.or_else(|| contexts.current.clone());
        Ok(Self {
            context: name.map(|name| pick(&contexts, name)).transpose()?,
            is_typed: global.context.is_some(),
        })
    }

    /// Where the server is.
    pub fn url(&self, global: &Global) -> Result<(String, Source)> {
        if let Some(url) = &global.url {
            return Ok((url.clone(), Source::Option("--url")));
        }
        let of_context = self
            .context
            .as_ref()
            .map(|(name, context)| (context.url.clone(), Source::Context(name.clone())));
        let found = self.before_context(of_context, || {
            let url = variable("MCPANEL_URL")?;
            Ok(url.map(|url| (url, Source::Variable("MCPANEL_URL"))))
        })?;
        Ok(found.unwrap_or_else(|| (URL_DEFAULT.to_owned(), Source::Default)))
    }

    /// As whom, at this server.
    pub fn credential(&self, url: &str) -> Result<(Credential, Source)> {
        let of_context = self.of_server(url).and_then(|(name, context)| {
            let credential = context.credential.as_deref()?;
            Some((of(credential), Source::Context(name.clone())))
        });
        let found = self.before_context(of_context, || {
            if let Some(key) = variable("MCPANEL_API_KEY")? {
                let key = Credential::ApiKey(key);
                return Ok(Some((key, Source::Variable("MCPANEL_API_KEY"))));
            }
            let token = variable("MCPANEL_TOKEN")?.map(Credential::Token);
            Ok(token.map(|token| (token, Source::Variable("MCPANEL_TOKEN"))))
        })?;
        match found {
            Some(found) => Ok(found),
            None if is_here(url) => Ok(key_of_this_machine()),
            None => Ok((Credential::None, Source::Default)),
        }
    }

    /// How words travel to this server.
    pub fn transport(&self, global: &Global, url: &str) -> Result<Transport> {
        let context = self.of_server(url).map(|(_, context)| context);
        let file = match &global.ca_file {
            Some(file) => Some(file.clone()),
            None => self.before_context(
                context.and_then(|it| it.ca_file.clone()),
                environment::ca_file,
            )?,
        };
        let allow_plain = global.allow_http
            || self
                .before_context(
                    context.and_then(|it| it.allow_http.then_some(true)),
                    environment::allow_http,
                )?
                .unwrap_or(false);
        Ok(Transport {
            trust: file.as_deref().map_or(Ok(Trust::System), trusted)?,
            allow_plain,
        })
    }

    /// Whose documents are meant at this server; none when the credential says it.
    pub fn namespace(&self, global: &Global, url: &str) -> Result<Option<Namespace>> {
        if global.namespace.is_some() {
            return Ok(global.namespace.clone());
        }
        let context = self.of_server(url).map(|(_, context)| context);
        self.before_context(
            context.and_then(|it| it.namespace.clone()),
            environment::namespace,
        )
    }

    /// What the environment says, then what the context says; a context that was typed comes first.
    fn before_context<T>(
        &self,
        of_context: Option<T>,
        environment: impl FnOnce() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        before_context(self.is_typed, of_context, environment)
    }

    /// The context, where it is one of this server: what it holds is meant for its own server alone.
    fn of_server(&self, url: &str) -> Option<(&ContextName, &Context)> {
        let (name, context) = self.context.as_ref()?;
        is_same(&context.url, url).then_some((name, context))
    }
}

/// What the environment says, then what the context says; of a context that was typed it is the other way round.
pub fn before_context<T>(
    is_typed: bool,
    of_context: Option<T>,
    environment: impl FnOnce() -> Result<Option<T>>,
) -> Result<Option<T>> {
    if is_typed && of_context.is_some() {
        return Ok(of_context);
    }
    Ok(environment()?.or(of_context))
}

/// The authorities of a file.
pub fn trusted(file: &Path) -> Result<Trust> {
    Trust::of_file(file).map_err(|error| Failure::usage(error.chain()))
}

/// The administrator's key of a server on this machine.
fn key_of_this_machine() -> (Credential, Source) {
    let path = arguments::data_folder().join(mcpanel_guard::secrets::ADMIN_KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(key) if !key.trim().is_empty() => {
            let key = Credential::ApiKey(key.trim().to_owned());
            (key, Source::File(path))
        }
        // Without a key the server says what is missing, which is the better message.
        Ok(_) | Err(_) => (Credential::None, Source::Default),
    }
}

fn pick(contexts: &Contexts, name: ContextName) -> Result<(ContextName, Context)> {
    let context = contexts.get(&name)?.clone();
    Ok((name, context))
}

/// What the environment says about a server beside where it is.
pub mod environment {
    use super::*;

    /// The file of the authorities that are trusted.
    pub fn ca_file() -> Result<Option<PathBuf>> {
        Ok(variable("MCPANEL_CA_FILE")?.map(PathBuf::from))
    }

    /// Whether credentials may travel without encryption.
    pub fn allow_http() -> Result<Option<bool>> {
        switch("MCPANEL_ALLOW_HTTP")
    }

    /// Whose documents are meant.
    pub fn namespace() -> Result<Option<Namespace>> {
        let named = variable("MCPANEL_NAMESPACE")?;
        let parsed = named.map(|name| {
            Namespace::parse(&name)
                .map_err(|error| Failure::usage(format!("MCPANEL_NAMESPACE: {error}")))
        });
        parsed.transpose()
    }
}

/// The value of a variable; one that is set and empty counts as unset.
pub fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value.trim().to_owned())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("`{name}` is not text")))
        }
    }
}

/// The value of a variable that says yes or no.
fn switch(name: &str) -> Result<Option<bool>> {
    match variable(name)?.as_deref() {
        None => Ok(None),
        Some("1" | "true" | "yes") => Ok(Some(true)),
        Some("0" | "false" | "no") => Ok(Some(false)),
        Some(other) => Err(Failure::usage(format!(
            "{name} is `{other}`, which is neither yes nor no"
        ))
        .hint(format!("set {name}=1, or unset it"))),
    }
}

/// Whether two addresses are the same server's.
pub fn is_same(one: &str, other: &str) -> bool {
    match (server_url(one), server_url(other)) {
        (Ok(one), Ok(other)) => {
            let bare = |text: &str| text.trim_end_matches('/').to_owned();
            bare(one.as_str()) == bare(other.as_str())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_more_is_the_same_server_and_another_port_is_not() {
        assert!(is_same("http://a:1/", "http://A:1"));
        assert!(is_same("https://a", "https://a:443/"));
        for other in [
            "http://a:2",
            "https://a:1",
            "http://a:1/x",
            "http://a.b:1",
            "http://a:11",
            "a:1",
        ] {
            assert!(!is_same("http://a:1", other), "{other}");
        }
    }
}
