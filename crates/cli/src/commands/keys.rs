//! `mcpanel keys`: API keys, whose secrets are shown once.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{
    ArgGroup, Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use mcpanel_api::{
    KeyId, Timestamp,
    key::{ApiKey, ApiKeyMade, NewApiKey},
    page::PageQuery,
};
use mcpanel_client::{Client, IdempotencyKey};
use mcpanel_guard::{KeyRole, Permission, Permissions};

use super::common::{
    self,
    confirm::Consent,
    pages::{Extent, Page},
    several::each,
};
use crate::{
    Failure, Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{
        self,
        cell::{Cell, now, text},
        durations,
        form::Form,
        listing,
        listing::Row,
    },
};

/// Make, list and revoke API keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make an API key; its secret is shown this once.
    Create(Create),
    /// List API keys, newest first.
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Revoke API keys: what uses them is refused from now on.
    Revoke {
        /// Their ids.
        #[arg(required = true, value_name = "KEY_ID")]
        key_ids: Vec<KeyId>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// What to make.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["permissions", "role"]))]
pub struct Create {
    /// What it is for, for people.
    name: String,
    /// What it allows, such as `task:read`; may be repeated, or given with commas.
    #[arg(
        long = "permission",
        short,
        value_name = "PERMISSION",
        value_delimiter = ','
    )]
    permissions: Vec<Permission>,
    /// What it allows, as a whole; `--permission` may add to it.
    #[arg(long, value_name = "ROLE", value_parser = role())]
    role: Option<KeyRole>,
    /// When it ends: a moment such as `2027-01-01T00:00:00Z`, or from now, such as `30d`. Never when left out.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Timestamp>,
    /// Write the secret to this new file, readable by you alone, and not to stdout.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl Keys {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let form = global.form();
        let client = common::client(global)?;
        match self {
            Self::Create(create) => create.execute(&client, form).await,
            Self::List { extent } => {
                let read = async |page: Page| {
                    let query = PageQuery {
                        limit: page.limit,
                        cursor: page.cursor,
                    };
                    let page = client.list_keys(&query).await?;
                    Ok((page.keys, page.next_cursor))
                };
                extent.show(form, read).await
            }
            Self::Revoke { key_ids, consent } => {
                if !consent.to_all("revoke", "key", &key_ids, "")? {
                    return Ok(Exit::Ok);
                }
                each(form, &key_ids, async |id| {
                    client.delete_key(id).await?;
                    output::say(format_args!("revoked key `{id}`"));
                    Ok(None::<ApiKey>)
                })
                .await
            }
        }
    }
}

impl Create {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        if form.format == Format::Name && self.secret_file.is_none() {
            return Err(
                Failure::usage("with `-o name` the key's secret would be lost")
                    .hint("give `--secret-file FILE`, or leave `-o name` out"),
            );
        }
        // Made first: a key whose secret cannot be kept is of no use.
        let secret_file = self.secret_file.as_deref().map(new_file).transpose()?;
        let of_role = self.role.map_or(Permissions::NONE, KeyRole::permissions);
        let key = NewApiKey {
            name: self.name,
            permissions: self
                .permissions
                .iter()
                .fold(of_role, |all, each| all.with(*each))
                .words(),
            // Who makes it stands in the namespace that it shall open.
            namespace: None,
            expires_at: self.expires,
        };
        let made = client.create_key(&key, &IdempotencyKey::random()).await;
        let Some((mut file, path)) = secret_file else {
            return show(form, &made?);
        };
        let written = made.map_err(Failure::from).and_then(|made| {
            let secret = secret_of(&made)?;
            writeln!(file, "{secret}")
                .and_then(|()| file.sync_all())
                .map_err(|error| unwritable(&path, &error))?;
            Ok(made)
        });
        if written.is_err() {
            // Empty or half written, it would only mislead.
            let _ = std::fs::remove_file(&path);
        }
        let made = written?;
        output::say(format_args!("the secret is in `{}`", path.display()));
        listing::one(form, &made.key)?;
        Ok(Exit::Ok)
    }
}

fn show(form: Form<'_>, made: &ApiKeyMade) -> Result {
    match form.format {
        Format::Json => output::json(made)?,
        Format::Jsonl => output::jsonl(made)?,
        Format::Yaml => output::yaml::document(made)?,
        Format::Table | Format::Wide | Format::Name => {
            let mut fields = made.key.details();
            fields.push(("SECRET", Cell::from(secret_of(made)?)));
            listing::fields(form, fields)?;
        }
    }
    output::say("the secret is shown this once: keep it, and send it as `X-API-Key`");
    Ok(Exit::Ok)
}

fn secret_of(made: &ApiKeyMade) -> Result<&str> {
    made.api_key.as_deref().ok_or_else(|| {
        let id = &made.key.key_id;
        Failure::new(format!(
            "the answer that held the secret of key `{id}` was lost"
        ))
        .hint(format!(
            "revoke it with `mcpanel keys revoke {id}`, and make another"
        ))
    })
}

fn new_file(path: &Path) -> Result<(std::fs::File, PathBuf)> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(path)
        .map_err(|error| unwritable(path, &error))?;
    Ok((file, path.to_owned()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", path.display()))
}

/// Reads the word of a role; what may be given is shown in the help.
fn role() -> impl TypedValueParser<Value = KeyRole> {
    PossibleValuesParser::new(KeyRole::ALL.map(KeyRole::as_str))
        .try_map(|word| KeyRole::parse(&word).ok_or("no role"))
}

/// The word for what a key allows: that of a role where it is exactly the role's set.
fn role_of(key: &ApiKey) -> &'static str {
    Permissions::parse(key.permissions.iter().map(String::as_str))
        .ok()
        .and_then(KeyRole::of)
        .map_or("custom", KeyRole::as_str)
}

/// Reads a moment, or a duration from now.
fn moment(given: &str) -> std::result::Result<Timestamp, String> {
    let from_now = durations::parse(given)
        .map(|duration| now().plus_ms(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)));
    from_now.or_else(|_| {
        Timestamp::parse(given).map_err(|error| format!("{error}, and no duration such as `30d`"))
    })
}

impl Row for ApiKey {
    const HEADER: &'static [&'static str] = &[
        "KEY",
        "NAME",
        "HINT",
        "STATUS",
        "EXPIRES",
        "CREATED",
        "CREATED BY",
        "PERMISSIONS",
        "ROLE",
    ];

    fn name(&self) -> String {
        self.key_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        let status = if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at.is_some_and(|end| end <= now()) {
            "expired"
        } else {
            "active"
        };
        vec![
            text(&self.key_id),
            self.name.as_str().into(),
            self.hint.as_str().into(),
            Cell::Status(status.to_owned()),
            self.expires_at.into(),
            self.created_at.into(),
            self.created_by.as_str().into(),
            Cell::words(&self.permissions),
            role_of(self).into(),
        ]
    }
}
