//! `mcpanel auth`: who one is, and tokens.

pub mod identity;
mod login;

use clap::{Args, Subcommand};
use mcpanel_api::auth::{TokenRequest, TokenResponse};
use mcpanel_client::{Client, Credential};
use mcpanel_guard::Permission;
use std::{ops::RangeInclusive, time::Duration};

use super::common;
use crate::{
    Failure, Result,
    arguments::{Format, Global},
    connect,
    exit::Exit,
    output::{self, durations, listing},
};

/// Log in, see as whom, and buy tokens.
#[derive(Debug, Subcommand)]
pub enum Auth {
    /// Keep a credential for a server, once the server takes it: asked for on a terminal, else from `--token-file`.
    Login,
    /// Forget the credential of a context.
    Logout,
    /// Show who the server takes one for, and what one may.
    Whoami,
    /// Buy a short-lived token with an API key, and write it alone.
    Token(Token),
}

/// How long a token can live: what the API sells.
const LIFETIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// Reads how long a token is to live.
fn lifetime(text: &str) -> std::result::Result<Duration, String> {
    let given = durations::parse(text)?;
    match LIFETIME.contains(&given) {
        true => Ok(given),
        false => Err("a token lives from a second to a day, such as `15m`; keys live longer, see `mcpanel keys create`".to_owned()),
    }
}

/// What token to buy.
#[derive(Debug, Args)]
pub struct Token {
    /// What it allows, such as `task:read`; may be repeated, or given with commas. All that the key allows when left
    /// out.
    #[arg(
        long = "permission",
        short,
        value_name = "PERMISSION",
        value_delimiter = ','
    )]
    permissions: Vec<Permission>,
    /// How long it lasts, up to a day; an hour when left out.
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<Duration>,
}

impl Auth {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        match self {
            Self::Login => login::login(global).await,
            Self::Logout => login::logout(global),
            Self::Whoami => {
                let place = connect::place(global)?;
                let client = Client::new(place.config())?.with_patience(common::PATIENCE);
                let identity = identity::ask(&client, place.credential_from.to_string()).await?;
                listing::one(global.form(), &identity)?;
                Ok(Exit::Ok)
            }
            Self::Token(token) => token.execute(global).await,
        }
    }
}

impl Token {
    async fn execute(self, global: &Global) -> Result {
        let client = common::client(global)?;
        if matches!(client.config().credential, Credential::Token(_)) {
            return Err(Failure::usage("a token buys no token")
                .hint("give an API key: MCPANEL_API_KEY, or `--token-file`"));
        }
        let request = TokenRequest {
            permissions: (!self.permissions.is_empty())
                .then(|| self.permissions.iter().map(ToString::to_string).collect()),
            expires_in_ms: self
                .expires
                .map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)),
        };
        let bought = client.create_token(&request).await?;
        show(global.format(), &bought)?;
        output::say(format_args!("it expires at {}", bought.expires_at));
        Ok(Exit::Ok)
    }
}

/// Writes the token alone, to be put into a variable or a file; all about it in other formats.
fn show(format: Format, bought: &TokenResponse) -> Result<()> {
    match format {
        Format::Table | Format::Wide | Format::Name => output::line(&bought.token),
        Format::Json => output::json(bought),
        Format::Jsonl => output::jsonl(bought),
        Format::Yaml => output::yaml::document(bought),
    }
}
