//! `mcpanel context`: servers by name.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mcpanel_api::Namespace;
use mcpanel_client::Client;
use serde::Serialize;

use super::common::confirm::Consent;
use crate::{
    Failure, Result,
    arguments::Global,
    connect,
    contexts::{self, Context, ContextName, Contexts},
    exit::Exit,
    output::{
        self,
        cell::{Cell, text},
        listing::{self, Row},
    },
};

/// Characters of a credential that are shown, to recognise it by: what the server's own lists show of a key.
const HINT_CHARS: usize = 8;

/// Keep servers by name, with the credential for each.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Keep the server of `--url` or MCPANEL_URL under a name, with the credential of `--token-file`, `--namespace`, `--ca-file` and
    /// `--allow-http`. The first is used at once.
    Add(Add),
    /// Use a context from now on, unless another is named.
    Use {
        /// Its name.
        name: ContextName,
    },
    /// List contexts; the one in use is marked.
    List,
    /// Forget contexts, and their credentials.
    Remove {
        /// Their names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<ContextName>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// What to keep.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name.
    name: ContextName,
    /// Use it from now on.
    #[arg(id = "use", long = "use")]
    is_used: bool,
    /// Replace the one of that name.
    #[arg(long)]
    force: bool,
}

impl ContextCommand {
    /// Does it.
    pub fn execute(self, global: &Global) -> Result {
        let mut all = contexts::load()?;
        match self {
            Self::Add(add) => add.execute(all, global),
            Self::List => {
                let rows: Vec<Shown> = all.contexts.iter().map(|it| Shown::of(it, &all)).collect();
                listing::many(global.form(), &rows)?;
                Ok(Exit::Ok)
            }
            Self::Use { name } => {
                let url = all.get(&name)?.url.clone();
                all.current = Some(name.clone());
                contexts::save(&all)?;
                output::say(format_args!("using context `{name}`, the server `{url}`"));
                Ok(Exit::Ok)
            }
            Self::Remove { names, consent } => remove(all, &names, consent),
        }
    }
}

impl Add {
    fn execute(self, mut all: Contexts, global: &Global) -> Result {
        let name = self.name;
        let url = match &global.url {
            Some(url) => Some(url.clone()),
            None => connect::variable("MCPANEL_URL")?,
        };
        let Some(url) = url else {
            return Err(Failure::usage("a context needs a server").hint(format!(
                "name it: `mcpanel context add {name} --url http://127.0.0.1:8080`"
            )));
        };
        if all.contexts.contains_key(&name) && !self.force {
            return Err(Failure::new(format!("there is a context `{name}` already"))
                .exit(Exit::Conflict)
                .hint("replace it with `--force`, or take another name"));
        }
        let credential = global
            .token_file
            .as_deref()
            .map(connect::read_credential)
            .transpose()?;
        let context = Context {
            credential,
            ..Context::of(url).with_given(global)?
        };
        // Refuses what no client could be made of, before it is kept.
        Client::new(context.config()?)?;
        all.contexts.insert(name.clone(), context);
        if self.is_used || all.current.is_none() {
            all.current = Some(name.clone());
        }
        contexts::save(&all)?;
        let place = contexts::path()?;
        output::say(format_args!(
            "context `{name}` is kept in `{}`",
            place.display()
        ));
        let context = all.get(&name)?;
        listing::one(global.form(), &Shown::of((&name, context), &all))?;
        Ok(Exit::Ok)
    }
}

fn remove(mut all: Contexts, names: &[ContextName], consent: Consent) -> Result {
    for name in names {
        all.get(name)?;
    }
    let named: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let what = match named.as_slice() {
        [name] => format!("context {name}"),
        named => format!("{} contexts: {}", named.len(), named.join(", ")),
    };
    if !consent.to(&format!("forget {what}"))? {
        return Ok(Exit::Ok);
    }
    for name in names {
        all.contexts.remove(name);
        if all.current.as_ref() == Some(name) {
            all.current = None;
        }
    }
    contexts::save(&all)?;
    output::say(format_args!("forgot {what}"));
    if all.current.is_none() && !all.contexts.is_empty() {
        output::say("none is in use now; choose one with `mcpanel context use NAME`");
    }
    Ok(Exit::Ok)
}

/// A context as it is shown: without its secret.
#[derive(Debug, Serialize)]
struct Shown {
    name: ContextName,
    url: String,
    is_current: bool,
    /// The first characters of the credential; null when there is none.
    credential_hint: Option<String>,
    namespace: Option<Namespace>,
    ca_file: Option<PathBuf>,
    allow_http: bool,
}

impl Shown {
    fn of((name, context): (&ContextName, &Context), all: &Contexts) -> Self {
        Self {
            name: name.clone(),
            url: context.url.clone(),
            is_current: all.current.as_ref() == Some(name),
            credential_hint: context.credential.as_deref().map(hint),
            namespace: context.namespace.clone(),
            ca_file: context.ca_file.clone(),
            allow_http: context.allow_http,
        }
    }
}

/// The beginning of a credential, and never so much that the rest could be guessed.
fn hint(credential: &str) -> String {
    let shown = HINT_CHARS.min(credential.len() / 4);
    let beginning: String = credential.chars().take(shown).collect();
    format!("{beginning}…")
}

impl Row for Shown {
    const HEADER: &'static [&'static str] = &["CURRENT", "NAME", "URL", "CREDENTIAL"];

    const WIDE: &'static [&'static str] = &["NAMESPACE", "CA FILE", "ALLOW HTTP"];

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.is_current.then(|| text("*")).into(),
            text(&self.name),
            text(&self.url),
            self.credential_hint.as_deref().into(),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        let file = self.ca_file.as_deref();
        vec![
            self.namespace.as_ref().map(text).into(),
            file.map(|file| text(file.display())).into(),
            self.allow_http.then(|| text("yes")).into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_tells_little() {
        assert_eq!(hint("mcp_0123456789abcdefghijklmnopqrstuv"), "mcp_0123…");
        assert_eq!(hint("short"), "s…");
    }
}
