//! `mcpanel auth login` and `logout`: a context's credential, kept and forgotten.

use std::io::{self, IsTerminal};

use mcpanel_client::{Client, Config};

use super::identity;
use crate::{
    Failure, Result,
    arguments::Global,
    commands::common,
    connect,
    contexts::{self, Context, ContextName, Contexts},
    exit::Exit,
    output::{self, listing},
};

/// The name of the first context, when nobody gives it one.
const NAME_DEFAULT: &str = "default";

/// Keeps a credential that the server takes.
pub async fn login(global: &Global) -> Result {
    let mut all = contexts::load()?;
    let name = name(global, &all)?;
    let url = url(global, all.contexts.get(&name))?;
    let credential = match &global.token_file {
        Some(file) => connect::read_credential(file)?,
        None => asked(&url)?,
    };
    let config = Config::new(&url, connect::of(&credential));
    let client = Client::new(config)?.with_patience(common::PATIENCE);
    let identity = identity::ask(&client, format!("context `{name}`")).await?;
    let context = Context {
        url,
        credential: Some(credential),
    };
    all.contexts.insert(name.clone(), context);
    all.current = Some(name.clone());
    contexts::save(&all)?;
    output::say(format_args!(
        "logged in as {} at `{}`; using context `{name}`",
        identity.who, identity.url
    ));
    listing::one(global.form(), &identity)?;
    Ok(Exit::Ok)
}

/// Forgets the credential of a context.
pub fn logout(global: &Global) -> Result {
    let mut all = contexts::load()?;
    let name = name(global, &all)?;
    let missing = all.missing(&name);
    let context = all.contexts.get_mut(&name).ok_or(missing)?;
    if context.credential.take().is_none() {
        output::say(format_args!("context `{name}` had no credential"));
        return Ok(Exit::Ok);
    }
    contexts::save(&all)?;
    output::say(format_args!("forgot the credential of context `{name}`"));
    Ok(Exit::Ok)
}

fn name(global: &Global, all: &Contexts) -> Result<ContextName> {
    let given = match &global.context {
        Some(name) => Some(name.clone()),
        None => connect::variable("MCPANEL_CONTEXT")?,
    };
    match given {
        Some(name) => name.parse().map_err(Failure::usage),
        None => Ok(match &all.current {
            Some(current) => current.clone(),
            None => NAME_DEFAULT.parse().map_err(Failure::new)?,
        }),
    }
}

fn url(global: &Global, context: Option<&Context>) -> Result<String> {
    if let Some(url) = &global.url {
        return Ok(url.clone());
    }
    if let Some(context) = context {
        return Ok(context.url.clone());
    }
    Ok(connect::variable("MCPANEL_URL")?.unwrap_or_else(|| connect::URL_DEFAULT.to_owned()))
}

/// Asks for the credential, which is not shown while it is typed.
fn asked(url: &str) -> Result<String> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage("nobody can be asked for a credential").hint(
            "give it in a file with `--token-file FILE`, or on stdin with `--token-file -`",
        ));
    }
    let term = console::Term::stderr();
    term.write_str(&format!("API key or token for `{url}`: "))?;
    let typed = term.read_secure_line()?;
    match typed.trim() {
        "" => Err(Failure::usage("nothing was typed; nothing was changed")),
        typed => Ok(typed.to_owned()),
    }
}
