//! Where a server is, and whether words can be said to it in confidence.

use std::net::IpAddr;

use reqwest::Url;

use crate::{Credential, Error, Result, tls::Trust};

/// How words travel to a server.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// Whose certificates are trusted, where the address begins with `https` or `wss`.
    pub trust: Trust,
    /// Whether credentials may travel unencrypted to another machine: over a network that is trusted otherwise.
    pub allow_plain: bool,
}

impl Transport {
    /// Refuses an address to which no credential may travel.
    pub fn refuse_plain(&self, url: &str) -> Result<()> {
        match server_url(url)? {
            url if self.is_safe(&url) => Ok(()),
            url => Err(plain(&url)),
        }
    }

    /// Refuses to show a credential where others could read it on its way.
    pub(crate) fn check(&self, url: &Url, credential: &Credential) -> Result<()> {
        if *credential == Credential::None || self.is_safe(url) {
            return Ok(());
        }
        Err(plain(url))
    }

    fn is_safe(&self, url: &Url) -> bool {
        self.allow_plain || matches!(url.scheme(), "https" | "wss") || is_of_this_machine(url)
    }
}

fn plain(url: &Url) -> Error {
    Error::Plain {
        url: url.origin().ascii_serialization(),
    }
}

/// The address of a server: `http` or `https`, a host, and at most a path.
pub fn server_url(text: &str) -> Result<Url> {
    let wrong = |why: String| {
        Error::Config(format!(
            "`{text}` is not the address of a server: {why}; write it like `http://127.0.0.1:8080` or `https://panel.example.org`"
        ))
    };
    // `localhost:8080` would be read as something of the scheme `localhost`.
    if !text.contains("://") {
        return Err(wrong(
            "it does not begin with `http://` or `https://`".to_owned(),
        ));
    }
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!(
            "`{}` is not spoken here, only `http` and `https`",
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
    Ok(url)
}

/// Whether the address is this machine's, so that nobody is between.
pub fn is_of_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    // An address of the sixth version stands in brackets.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn this_machine_is_known_by_its_loopback() {
        for text in [
            "http://127.0.0.1:8080",
            "https://LOCALHOST/",
            "ws://[::1]:8080/x",
            "http://127.8.9.1",
            "http://[::ffff:127.0.0.1]:1",
        ] {
            assert!(is_of_this_machine(&url(text)), "{text}");
        }
        for text in [
            "http://127.0.0.1.example.com",
            "http://localhost.example.com:8080",
            "https://10.0.0.1",
            "http://localhost@10.0.0.1/",
            "http://0.0.0.0:8080",
        ] {
            assert!(!is_of_this_machine(&url(text)), "{text}");
        }
    }

    #[test]
    fn credentials_do_not_travel_in_the_open() {
        let key = Credential::ApiKey("mcp_x".to_owned());
        let strict = Transport::default();
        let trusting = Transport {
            allow_plain: true,
            ..Transport::default()
        };
        let far = url("http://10.0.0.7:8080");
        assert!(matches!(strict.check(&far, &key), Err(Error::Plain { .. })));
        assert!(trusting.check(&far, &key).is_ok());
        assert!(strict.check(&far, &Credential::None).is_ok());
        assert!(strict.check(&url("https://10.0.0.7"), &key).is_ok());
        assert!(strict.check(&url("wss://10.0.0.7"), &key).is_ok());
        assert!(strict.check(&url("ws://127.0.0.1:1"), &key).is_ok());
        assert!(strict.check(&url("ws://10.0.0.7:1"), &key).is_err());
    }

    #[test]
    fn addresses_that_cannot_work_are_refused_at_once() {
        for text in [
            "",
            "localhost:8080",
            "ftp://example.com",
            "http://user:secret@127.0.0.1",
            "https://127.0.0.1/?a=1",
        ] {
            assert!(matches!(server_url(text), Err(Error::Config(_))), "{text}");
        }
        for text in ["http://127.0.0.1:8080/", "https://example.com/panel"] {
            assert!(server_url(text).is_ok(), "{text}");
        }
    }
}
