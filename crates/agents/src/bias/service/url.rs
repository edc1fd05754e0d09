//! Where a service is.

use std::fmt;

use reqwest::Url;

/// The address of a bias service, such as `http://127.0.0.1:8000`. Holds no secret, so that it can be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(Url);

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It is no address.
    #[error("expected an address such as `http://127.0.0.1:8000`: {0}")]
    Malformed(String),
    /// It is not HTTP.
    #[error("expected `http://…` or `https://…`, found `{0}://…`")]
    Scheme(String),
    /// It has a part that an address of a service does not have.
    #[error("expected an address without {0}")]
    Part(&'static str),
}

impl ServiceUrl {
    /// Reads an address; `/analyze` comes after its path.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let mut url =
            Url::parse(text.trim()).map_err(|error| BadUrl::Malformed(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadUrl::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadUrl::Part("a user name or password"));
        }
        if url.query().is_some() {
            return Err(BadUrl::Part("a query"));
        }
        if url.fragment().is_some() {
            return Err(BadUrl::Part("a fragment"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address itself.
    pub(super) fn as_url(&self) -> &Url {
        &self.0
    }

    /// Where batches of records are sent.
    pub(super) fn analyze(&self) -> Url {
        let mut url = self.0.clone();
        let path = format!("{}/analyze", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl std::str::FromStr for ServiceUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        Self::parse(text)
    }
}
