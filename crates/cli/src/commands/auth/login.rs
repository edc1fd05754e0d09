//! `mcpanel auth login` and `logout`: a context's credential, kept and forgotten.

use std::io::{self, IsTerminal};

use mcpanel_client::Client;

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
    let mut context = begun(global, all.contexts.get(&name))?.with_given(global)?;
    // What cannot be reached safely is told before anything is typed.
    let transport = context.config()?.transport;
    transport.refuse_plain(&context.url)?;
    context.credential = Some(match &global.token_file {
        Some(file) => connect::read_credential(file)?,
        None => asked(&context.url)?,
    });
    let client = Client::new(context.config()?)?.with_patience(common::PATIENCE);
    let identity = identity::ask(&client, format!("context `{name}`")).await?;
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

/// The context that is logged into: the one of this name, unless another server is named.
fn begun(global: &Global, context: Option<&Context>) -> Result<Context> {
    let of_context = context.map(|context| context.url.clone());
    let url = match &global.url {
        Some(typed) => Some(typed.clone()),
        None => connect::before_context(global.context.is_some(), of_context, || {
            connect::variable("MCPANEL_URL")
        })?,
    };
    let url = url.as_deref().unwrap_or(connect::URL_DEFAULT);
    Ok(match context {
        Some(context) if connect::is_same(url, &context.url) => context.clone(),
        _ => Context::of(url),
    })
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
