//! Credentials: read from a file or from stdin, and told apart.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use mcpanel_client::Credential;

use crate::{Failure, Result};

/// Longest credential that is read, in bytes: a token with every permission stays below 2,000.
const CREDENTIAL_BYTES_MAX: u64 = 16 * 1024;

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
        Err(error) => Err(Failure::usage(format!("cannot read `{shown}`: {error}"))
            .hint("name a file that holds an API key or a token, or `-` for stdin")),
    }
}

/// A token has three parts; everything else is a key.
pub fn of(text: &str) -> Credential {
    match text.split('.').count() {
        3 => Credential::Token(text.to_owned()),
        _ => Credential::ApiKey(text.to_owned()),
    }
}
