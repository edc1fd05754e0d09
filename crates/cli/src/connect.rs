//! Which server a command talks to, and as whom.

use std::path::PathBuf;

use clap::Args;
use mcpanel_client::{Client, Config, Credential};

/// Where the server is, and who calls.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// The server's address.
    #[arg(long, global = true, env = "MCPANEL_URL", default_value = "http://127.0.0.1:8080", help_heading = "Connection")]
    pub url: String,
    /// A file that holds an API key or token; `-` reads standard input. Without it: `MCPANEL_TOKEN`,
    /// `MCPANEL_API_KEY`, then `admin.key` of the data directory.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    pub token_file: Option<PathBuf>,
}

/// The data directory that `mcpanel serve` uses unless it is told otherwise.
pub const DATA_DIR: &str = "mcpanel-data";

impl Connection {
    /// A client for it.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(Config::new(&self.url, self.credential()?))?)
    }

    fn credential(&self) -> anyhow::Result<Credential> {
        if let Some(file) = &self.token_file {
            let text = if file.as_os_str() == "-" {
                std::io::read_to_string(std::io::stdin())?
            } else {
                std::fs::read_to_string(file)
                    .map_err(|error| anyhow::anyhow!("cannot read `{}`: {error}", file.display()))?
            };
            return Ok(of(text.trim()));
        }
        for variable in ["MCPANEL_TOKEN", "MCPANEL_API_KEY"] {
            if let Ok(value) = std::env::var(variable)
                && !value.is_empty()
            {
                return Ok(of(&value));
            }
        }
        // On the server's own machine, who can read its key may use it.
        let key = PathBuf::from(DATA_DIR).join(mcpanel_guard::secrets::ADMIN_KEY_FILE);
        match std::fs::read_to_string(key) {
            Ok(key) => Ok(of(key.trim())),
            Err(_) => Ok(Credential::None),
        }
    }
}

/// A token has three parts; everything else is a key.
fn of(text: &str) -> Credential {
    if text.split('.').count() == 3 {
        Credential::Token(text.to_owned())
    } else {
        Credential::ApiKey(text.to_owned())
    }
}
