//! Which server, and as whom.
//!
//! What was typed comes before the environment, that before the context that was chosen, and that before the
//! defaults. Credentials come from a file, the environment or a context, never from the command line, where other
//! users of the machine could read them. A context's credential is shown to the context's server alone, and the
//! administrator's key in the data folder to a server on this machine alone.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    net::IpAddr,
    path::{Path, PathBuf},
};

use mcpanel_client::{Client, Config, Credential};

use crate::{
    Failure, Result,
    arguments::{self, Global},
    contexts::{self, Context, ContextName, Contexts},
};

/// Where a server is when nobody says so.
pub const URL_DEFAULT: &str = "http://127.0.0.1:8080";

/// Longest credential that is read, in bytes: a token with every permission stays below 2,000.
const CREDENTIAL_BYTES_MAX: u64 = 16 * 1024;

/// A server, as whom, and who says so.
#[derive(Debug)]
pub struct Place {
    /// Where the server is.
    pub url: String,
    /// Who says where it is.
    pub url_from: Source,
    /// As whom.
    pub credential: Credential,
    /// Who says as whom.
    pub credential_from: Source,
}

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An option that was typed.
    Option(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// A context.
    Context(ContextName),
    /// A file of a server on this machine.
    File(PathBuf),
    /// Nobody.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "option `{name}`"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Context(name) => write!(f, "context `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The server that was named, as whoever the file, the environment or the context says.
pub fn client(global: &Global) -> Result<Client> {
    let place = place(global)?;
    Ok(Client::new(Config::new(&place.url, place.credential))?)
}

/// The server that was named, as nobody in particular.
pub fn anonymous(global: &Global) -> Result<Client> {
    let chosen = Chosen::read(global)?;
    let (url, _) = chosen.url(global)?;
    Ok(Client::new(Config::new(&url, Credential::None))?)
}

/// The server that was named, and as whom.
pub fn place(global: &Global) -> Result<Place> {
    let chosen = Chosen::read(global)?;
    let (url, url_from) = chosen.url(global)?;
    let (credential, credential_from) = match &global.token_file {
        Some(file) => (of(&read_credential(file)?), Source::Option("--token-file")),
        None => chosen.credential(&url)?,
    };
    Ok(Place {
        url,
        url_from,
        credential,
        credential_from,
    })
}

/// The context in use, and who chose it.
struct Chosen {
    context: Option<(ContextName, Context)>,
    is_typed: bool,
}

impl Chosen {
    fn read(global: &Global) -> Result<Self> {
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

    fn url(&self, global: &Global) -> Result<(String, Source)> {
        if let Some(url) = &global.url {
            return Ok((url.clone(), Source::Option("--url")));
        }
        let of_context = self
            .context
            .as_ref()
            .map(|(name, context)| (context.url.clone(), Source::Context(name.clone())));
        if self.is_typed
            && let Some(found) = of_context
        {
            return Ok(found);
        }
        if let Some(url) = variable("MCPANEL_URL")? {
            return Ok((url, Source::Variable("MCPANEL_URL")));
        }
        Ok(of_context.unwrap_or_else(|| (URL_DEFAULT.to_owned(), Source::Default)))
    }

    fn credential(&self, url: &str) -> Result<(Credential, Source)> {
        let of_context = self.context.as_ref().and_then(|(name, context)| {
            let credential = context.credential.as_deref()?;
            is_same(&context.url, url).then(|| (of(credential), Source::Context(name.clone())))
        });
        if self.is_typed
            && let Some(found) = of_context
        {
            return Ok(found);
        }
        if let Some(key) = variable("MCPANEL_API_KEY")? {
            return Ok((Credential::ApiKey(key), Source::Variable("MCPANEL_API_KEY")));
        }
        if let Some(token) = variable("MCPANEL_TOKEN")? {
            return Ok((Credential::Token(token), Source::Variable("MCPANEL_TOKEN")));
        }
        if let Some(found) = of_context {
            return Ok(found);
        }
        if !is_here(url) {
            return Ok((Credential::None, Source::Default));
        }
        let path = arguments::data_folder().join(mcpanel_guard::secrets::ADMIN_KEY_FILE);
        match fs::read_to_string(&path) {
            Ok(key) if !key.trim().is_empty() => {
                let key = Credential::ApiKey(key.trim().to_owned());
                Ok((key, Source::File(path)))
            }
            // Without a key the server says what is missing, which is the better message.
            Ok(_) | Err(_) => Ok((Credential::None, Source::Default)),
        }
    }
}

fn pick(contexts: &Contexts, name: ContextName) -> Result<(ContextName, Context)> {
    let context = contexts.get(&name)?.clone();
    Ok((name, context))
}

/// Reads a credential from a file, or from stdin for `-`.
pub fn read_credential(file: &Path) -> Result<String> {
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
        File::open(file).and_then(|mut file| read(&mut file))
    };
    let shown = file.display();
    match text {
        Ok(text) if text.trim().is_empty() => Err(Failure::usage(format!("`{shown}` is empty"))
            .hint("it should hold an API key or a token, and nothing else")),
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(Failure::usage(format!("cannot read `{shown}`: {error}"))),
    }
}

/// A token has three parts; everything else is a key.
pub fn of(text: &str) -> Credential {
    match text.split('.').count() {
        3 => Credential::Token(text.to_owned()),
        _ => Credential::ApiKey(text.to_owned()),
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

/// Whether two addresses are the same server's.
fn is_same(one: &str, other: &str) -> bool {
    let bare = |url: &str| url.trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

/// Whether the address is this machine's, so that its key may be shown to whoever listens there.
pub fn is_here(url: &str) -> bool {
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

    #[test]
    fn a_slash_more_is_the_same_server_and_another_port_is_not() {
        assert!(is_same("http://a:1/", "http://A:1"));
        for other in ["http://a:2", "http://a:1/x", "http://a.b:1", "http://a:11"] {
            assert!(!is_same("http://a:1", other), "{other}");
        }
    }
}
