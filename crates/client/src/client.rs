//! The client: where the server is and who calls.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Url,
    header::{self, HeaderName, HeaderValue},
};

use crate::{Config, Credential, Error, Result};

/// Connections kept open to the server: enough for the callers of one process, few enough for its file handles.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// A client of one server. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Arc<str>,
    pub(crate) credential: Option<(HeaderName, HeaderValue)>,
    config: Arc<Config>,
}

impl Client {
    /// A client as configured; nothing is sent yet.
    pub fn new(config: Config) -> Result<Self> {
        let base = base_url(&config.base_url)?;
        Ok(Self {
            http: pool(&config)?,
            base: Arc::from(base.as_str()),
            credential: credential_header(&config.credential)?,
            config: Arc::new(config),
        })
    }

    /// The same server and connections, called by somebody else.
    pub fn with_credential(&self, credential: Credential) -> Result<Self> {
        let header = credential_header(&credential)?;
        let config = Config {
            credential,
            ..Config::clone(&self.config)
        };
        Ok(Self {
            credential: header,
            config: Arc::new(config),
            ..self.clone()
        })
    }

    /// The same, repeating calls for as long as `patience`.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        let config = Config {
            patience,
            ..Config::clone(&self.config)
        };
        Self {
            config: Arc::new(config),
            ..self.clone()
        }
    }

    /// The same with connections of its own, for a thread with its own runtime: a shared connection stands still
    /// while the runtime that opened it does.
    pub fn with_own_connections(&self) -> Result<Self> {
        Ok(Self {
            http: pool(&self.config)?,
            ..self.clone()
        })
    }

    /// Where the server is, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// What it was configured with.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

fn pool(config: &Config) -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(&config.user_agent)
        .build()
        .map_err(|error| Error::Config(format!("cannot set up connections: {error}")))
}

fn base_url(text: &str) -> Result<String> {
    let wrong = |why: String| {
        Error::Config(format!(
            "`{text}` is not the address of a server: {why}; write it like `http://127.0.0.1:8080`"
        ))
    };
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if url.scheme() != "http" {
        return Err(wrong(format!(
            "`{}` is not spoken here, only `http`",
            url.scheme()
        )));
    }
    if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "it needs a host, and neither query nor fragment".to_owned(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("credentials do not belong into it".to_owned()));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn credential_header(credential: &Credential) -> Result<Option<(HeaderName, HeaderValue)>> {
    let (name, text) = match credential {
        Credential::None => return Ok(None),
        Credential::ApiKey(key) => (HeaderName::from_static("x-api-key"), key.clone()),
        Credential::Token(token) => (header::AUTHORIZATION, format!("Bearer {token}")),
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Error::Config("the credential has characters that no key or token has".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_work_are_refused_at_once() {
        for text in [
            "",
            "localhost:8080",
            "https://example.com",
            "http://user:secret@127.0.0.1",
            "http://127.0.0.1/?a=1",
        ] {
            let made = Client::new(Config::new(text, Credential::None));
            assert!(matches!(made, Err(Error::Config(_))), "{text}");
        }
        let client = Client::new(Config::new("http://127.0.0.1:8080/", Credential::None)).unwrap();
        assert_eq!(client.base_url(), "http://127.0.0.1:8080");
    }

    #[test]
    fn secrets_are_never_shown() {
        for credential in [
            Credential::ApiKey("mcp_hidden".to_owned()),
            Credential::Token("hidden.hidden.hidden".to_owned()),
        ] {
            let client = Client::new(Config::new("http://127.0.0.1:1", credential)).unwrap();
            assert!(!format!("{client:?}").contains("hidden"));
        }
    }
}
