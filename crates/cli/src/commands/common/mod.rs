//! What the commands that speak to a server have in common.
//!
//! - [`confirm`]: asking before something is taken away
//! - [`documents`]: reading JSON from files and stdin, bounded
//! - [`filter`]: which tasks are meant
//! - [`json`]: JSON that an option holds
//! - [`listening`]: where servers listen
//! - [`pages`]: lists that are longer than a page
//! - [`several`]: one deed on several things
//! - [`waiting`]: looking again until something is so
//! - [`watching`]: looking again at what there is
//! - [`words`]: the API's words on the command line

pub mod confirm;
pub mod documents;
pub mod filter;
pub mod json;
pub mod listening;
pub mod pages;
pub mod several;
pub mod waiting;
pub mod watching;
pub mod words;

use std::time::Duration;

use mcpanel_client::{Client, IdempotencyKey};

use crate::{Failure, Result, arguments::Global, connect};

/// How long a call is repeated while the server is away: long enough for a restart in passing, short enough for
/// somebody who sits there and has misspelt an address.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// A client for a person or a script that waits.
pub fn client(global: &Global) -> Result<Client> {
    Ok(connect::client(global)?.with_patience(PATIENCE))
}

/// The key that was given, or a new one.
pub fn key(given: Option<&str>) -> Result<IdempotencyKey> {
    match given {
        None => Ok(IdempotencyKey::random()),
        Some(text) => IdempotencyKey::parse(text).ok_or_else(|| {
            Failure::usage(format!(
                "`{text}` is no idempotency key: it has 1 to 255 visible ASCII characters"
            ))
        }),
    }
}
