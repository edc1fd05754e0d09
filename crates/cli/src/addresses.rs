//! Addresses of MongoDB and Redis, which may hold a password.
//!
//! What is typed can be seen by everybody on the machine (`ps`) and is kept by shells, so an address with a password comes
//! from the environment or from a file (`@FILE`); typed, it is refused.

use std::{
    fs::File,
    io::{self, Read},
};

use clap::ArgMatches;

use crate::{Failure, Result};

/// How such addresses begin.
const SCHEMES: [&str; 6] = [
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "redis+cluster",
    "rediss+cluster",
];

/// Words in the names of options of an address whose values are secrets, such as `tlsCertificateKeyFilePassword`.
const SECRET_OPTIONS: [&str; 3] = ["password", "token", "secret"];

/// Longest address that is read from a file, in bytes: dozens of nodes with long names.
const ADDRESS_BYTES_MAX: u64 = 16 * 1024;

/// Reads an address: as it stands, or from the file that `@FILE` names. One from a variable that is set and empty is
/// empty: compose files often do that.
pub fn read(text: &str) -> std::result::Result<String, String> {
    let text = text.trim();
    let Some(path) = text.strip_prefix('@') else {
        return Ok(text.to_owned());
    };
    let content = content(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    match content.trim() {
        "" => Err(format!("`{path}` is empty; it should hold an address")),
        address => Ok(address.to_owned()),
    }
}

fn content(path: &str) -> io::Result<String> {
    let mut content = String::new();
    let file = File::open(path)?;
    file.take(ADDRESS_BYTES_MAX).read_to_string(&mut content)?;
    Ok(content)
}

/// Refuses addresses with passwords among what was typed.
pub fn refuse_typed_passwords(matches: &ArgMatches) -> Result<()> {
    for id in matches.ids() {
        let is_typed =
            matches.value_source(id.as_str()) == Some(clap::parser::ValueSource::CommandLine);
        let Ok(Some(values)) = matches.try_get_raw(id.as_str()) else {
            continue;
        };
        for value in values.filter(|_| is_typed) {
            if holds_secret(&value.to_string_lossy()) {
                let option = id.as_str().replace('_', "-");
                return Err(Failure::usage(format!(
                    "the address of `--{option}` holds a password, which everybody on this machine could read"
                ))
                .hint(format!(
                    "write it into a file and give `--{option} @FILE`; servers also take MONGODB_URI and REDIS_URL from the \
                     environment"
                )));
            }
        }
    }
    match matches.subcommand() {
        Some((_, below)) => refuse_typed_passwords(below),
        None => Ok(()),
    }
}

/// Whether a text is an address of MongoDB or Redis with a secret in it.
fn holds_secret(text: &str) -> bool {
    let Some((scheme, rest)) = text.trim().split_once("://") else {
        return false;
    };
    if !SCHEMES.contains(&scheme) {
        return false;
    }
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    // Several nodes may stand behind each other, each with credentials of its own.
    let has_password = place.split(',').any(|node| {
        let node = node.split_once("://").map_or(node, |(_, node)| node);
        let credentials = node.rsplit_once('@').map(|(credentials, _)| credentials);
        credentials
            .and_then(|credentials| credentials.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty())
    });
    let options = options.to_ascii_lowercase();
    has_password || SECRET_OPTIONS.iter().any(|word| options.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_wherever_they_stand() {
        for with in [
            "mongodb://ada:hidden@one:1,two:2/panel?replicaSet=r",
            "mongodb+srv://ada:hid@den@cluster.example.org",
            "mongodb://one/?tlsCertificateKeyFilePassword=hidden",
            "mongodb://one/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:hidden",
            "redis://:hidden@one:6379/1",
            "redis+cluster://one:1,:hidden@two:2",
            "redis://one:1,redis://ada:hidden@two:2",
        ] {
            assert!(holds_secret(with), "{with}");
        }
        for without in [
            "mongodb://one:1,two:2/panel?replicaSet=r",
            "mongodb://ada@one/?authMechanism=MONGODB-X509",
            "redis://one:6379/1",
            "redis+cluster://one:1,two:2",
            "http://ada:shown@one",
            "mcpanel-data",
            "@/run/secrets/mongodb-uri",
        ] {
            assert!(!holds_secret(without), "{without}");
        }
    }

    #[test]
    fn a_file_holds_an_address() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let named = format!("@{}", file.path().display());
        assert!(read(&named).unwrap_err().contains("is empty"));
        std::fs::write(file.path(), "redis://:hidden@one:1\n").unwrap();
        assert_eq!(read(&named).unwrap(), "redis://:hidden@one:1");
        assert_eq!(read(" redis://one ").unwrap(), "redis://one");
        assert!(read("@/no/such/file").unwrap_err().contains("cannot read"));
    }
}
