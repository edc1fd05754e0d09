//! Which server, and as whom.
//!
//! What was typed comes before the environment, that before the context that was chosen, and that before the
//! defaults. Credentials come from a file, the environment or a context, never from the command line, where other
//! users of the machine could read them. A context's credential is shown to the context's server alone, and the
//! administrator's key in the data folder to a server on this machine alone. Nothing is shown to another machine
//! without encryption, unless that is asked for.

mod chosen;
mod credential;

use std::{fmt, path::PathBuf};

use mcpanel_api::Namespace;
use mcpanel_client::{Client, Config, Credential, Transport, is_of_this_machine, server_url};
use mcpanel_server::serve::Running;

use crate::{Result, arguments::Global, contexts::ContextName};
use chosen::Chosen;
pub use chosen::{before_context, environment, is_same, trusted, variable};
pub use credential::{of, read_credential};

/// Where a server is when nobody says so.
pub const URL_DEFAULT: &str = "http://127.0.0.1:8080";

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
    /// How words travel there.
    pub transport: Transport,
    /// Whose documents are meant; none when the credential says it.
    pub namespace: Option<Namespace>,
}

impl Place {
    /// What a client is made of.
    pub fn config(&self) -> Config {
        Config {
            transport: self.transport.clone(),
            namespace: self.namespace.clone(),
            ..Config::new(&self.url, self.credential.clone())
        }
    }
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
    Ok(Client::new(place(global)?.config())?)
}

/// The server that was named, as nobody in particular.
pub fn anonymous(global: &Global) -> Result<Client> {
    let chosen = Chosen::read(global)?;
    let (url, _) = chosen.url(global)?;
    let config = Config {
        transport: chosen.transport(global, &url)?,
        ..Config::new(&url, Credential::None)
    };
    Ok(Client::new(config)?)
}

/// A server in this process, as its administrator.
pub fn ours(server: &Running) -> Result<Client> {
    let key = Credential::ApiKey(server.admin_key().reveal().to_owned());
    let mut config = Config::new(format!("http://{}", server.http_addr()), key);
    // Words to oneself do not leave the machine.
    config.transport.allow_plain = true;
    Ok(Client::new(config)?)
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
        transport: chosen.transport(global, &url)?,
        namespace: chosen.namespace(global, &url)?,
        url,
        url_from,
        credential,
        credential_from,
    })
}

/// The command line without the variables that are set and empty: they count as not set, since compose files often pass
/// on what nobody gave.
pub fn without_blank_variables(command: clap::Command) -> clap::Command {
    let is_blank = |argument: &clap::Arg| {
        let value = argument.get_env().and_then(std::env::var_os);
        value.is_some_and(|value| value.to_str().is_some_and(|text| text.trim().is_empty()))
    };
    command
        .mut_args(|argument| match is_blank(&argument) {
            true => argument.env(clap::builder::Resettable::Reset),
            false => argument,
        })
        .mut_subcommands(without_blank_variables)
}

/// Whether the address is this machine's, so that its key may be shown to whoever listens there.
pub fn is_here(url: &str) -> bool {
    server_url(url).is_ok_and(|url| is_of_this_machine(&url))
}
