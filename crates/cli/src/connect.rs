//! Which server, and as whom.
//!
//! Credentials come from a file, `MCPANEL_API_KEY` or `MCPANEL_TOKEN`, never from the command line, where other
//! users of the machine could read them. For a server on this machine, the administrator's key in its data folder is used.

use std::{
    fs,
    io::{self, Read},
    net::IpAddr,
    path::Path,
};

use mcpanel_client::{Client, Config, Credential};

use crate::{
    Failure, Result,
    arguments::{self, Global},
};

/// Longest credential that is read, in bytes: a token with every permission stays below 2,000.
const CREDENTIAL_BYTES_MAX: u64 = 16 * 1024;

/// The server that was named, as whoever the file or the environment says.
pub fn client(global: &Global) -> Result<Client> {
    let credential = match &global.token_file {
        Some(file) => from_file(file)?,
        None => credential(&global.url)?,
    };
    as_caller(global, credential)
}

/// The server that was named, as nobody in particular.
pub fn anonymous(global: &Global) -> Result<Client> {
    as_caller(global, Credential::None)
}

fn as_caller(global: &Global, credential: Credential) -> Result<Client> {
    Ok(Client::new(Config::new(&global.url, credential))?)
}

/// Reads a credential from a file, or from stdin for `-`.
fn from_file(file: &Path) -> Result<Credential> {
    let read = |input: &mut dyn Read| {
        let mut text = String::new();
        input
            .take(CREDENTIAL_BYTES_MAX)
            .read_to_string(&mut text)
            .map(|_| text)
    };
    let text = if file.as_os_str() == "-" {
        read(&mut io::stdin().lock())
    } else {
        fs::File::open(file).and_then(|mut file| read(&mut file))
    };
    let shown = file.display();
    match text {
        Ok(text) if text.trim().is_empty() => Err(Failure::usage(format!("`{shown}` is empty"))
            .hint("it should hold an API key or a token, and nothing else")),
        Ok(text) => Ok(of(text.trim())),
        Err(error) => Err(Failure::usage(format!("cannot read `{shown}`: {error}"))),
    }
}

/// A token has three parts; everything else is a key.
fn of(text: &str) -> Credential {
    match text.split('.').count() {
        3 => Credential::Token(text.to_owned()),
        _ => Credential::ApiKey(text.to_owned()),
    }
}

fn credential(url: &str) -> Result<Credential> {
    if let Some(key) = variable("MCPANEL_API_KEY")? {
        return Ok(Credential::ApiKey(key));
    }
    if let Some(token) = variable("MCPANEL_TOKEN")? {
        return Ok(Credential::Token(token));
    }
    if !is_here(url) {
        return Ok(Credential::None);
    }
    let path = arguments::data_folder().join(mcpanel_guard::secrets::ADMIN_KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(key) if !key.trim().is_empty() => Ok(Credential::ApiKey(key.trim().to_owned())),
        // Without a key the server says what is missing, which is the better message.
        Ok(_) | Err(_) => Ok(Credential::None),
    }
}

/// The API key that a command would use, for callers that speak HTTP by themselves.
pub fn api_key(url: &str) -> Result<Option<String>> {
    Ok(match credential(url)? {
        Credential::ApiKey(key) => Some(key),
        Credential::Token(_) | Credential::None => None,
    })
}

fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value.trim().to_owned())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("`{name}` is not text")))
        }
    }
}

/// Whether the address is this machine's, so that its key may be shown to whoever listens there.
fn is_here(url: &str) -> bool {
    let host = url
        .strip_prefix("http://")
        .unwrap_or(url)
        .split('/')
        .next()
        .unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_key_is_shown_to_this_machine_alone() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost/",
            "http://[::1]:8080/x",
        ] {
            assert!(is_here(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.example.com",
            "http://localhost.example.com:8080",
            "http://10.0.0.1",
            "http://user@10.0.0.1",
            "http://localhost@10.0.0.1/",
        ] {
            assert!(!is_here(url), "{url}");
        }
    }
}
