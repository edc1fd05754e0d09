//! The client: where the server is and who calls.

use std::{sync::Arc, time::Duration};

use reqwest::{
    RequestBuilder, Url,
    header::{self, HeaderName, HeaderValue},
};

use crate::{Config, Credential, Error, Result, address::server_url};

/// Connections kept open to the server: enough for the callers of one process, few enough for its file handles.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// By which an administrator names whose documents are meant.
const X_NAMESPACE: HeaderName = HeaderName::from_static("x-namespace");

/// A client of one server. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Arc<str>,
    credential: Option<(HeaderName, HeaderValue)>,
    config: Arc<Config>,
}

impl Client {
    /// A client as configured; nothing is sent yet.
    pub fn new(config: Config) -> Result<Self> {
        let url = server_url(&config.base_url)?;
        config.transport.check(&url, &config.credential)?;
        Ok(Self {
            http: pool(&config, &url)?,
            base: Arc::from(url.as_str().trim_end_matches('/')),
            credential: credential_header(&config.credential)?,
            config: Arc::new(config),
        })
    }

    /// The same server and connections, called by somebody else.
    pub fn with_credential(&self, credential: Credential) -> Result<Self> {
        let url = server_url(&self.config.base_url)?;
        self.config.transport.check(&url, &credential)?;
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
            http: pool(&self.config, &server_url(&self.config.base_url)?)?,
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

    /// The request with who calls, and in which namespace.
    pub(crate) fn signed(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some((name, value)) = &self.credential {
            request = request.header(name, value);
        }
        if let Some(namespace) = &self.config.namespace {
            request = request.header(X_NAMESPACE, namespace.as_str());
        }
        request
    }
}

fn pool(config: &Config, url: &Url) -> Result<reqwest::Client> {
    let builder = config.transport.trust.connections(url)?;
    builder
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(&config.user_agent)
        .build()
        .map_err(|error| Error::Config(format!("cannot set up connections: {error}")))
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
    fn an_address_ends_without_a_slash() {
        for url in ["http://127.0.0.1:8080", "https://example.com/panel"] {
            let slashed = format!("{url}/");
            let client = Client::new(Config::new(slashed, Credential::None)).unwrap();
            assert_eq!(client.base_url(), url);
        }
    }

    #[test]
    fn no_credential_is_taken_for_another_machine_in_the_open() {
        let key = Credential::ApiKey("mcp_x".to_owned());
        let far = "http://10.0.0.7:8080";
        let made = Client::new(Config::new(far, key.clone()));
        assert!(matches!(made, Err(Error::Plain { .. })));
        let nobody = Client::new(Config::new(far, Credential::None)).unwrap();
        assert!(matches!(
            nobody.with_credential(key),
            Err(Error::Plain { .. })
        ));
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
