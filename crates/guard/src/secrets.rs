//! The server's own secrets: given from outside, read from files, or made on first start.

use std::{
    fs,
    io::{self, Write},
    net::IpAddr,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRng, rngs::SysRng};

use crate::{
    key::{ApiKeySecret, RANDOM_BYTES},
    secret::{Secret, Weakness},
};

/// Where the administrator's key is kept, below the data directory.
pub const ADMIN_KEY_FILE: &str = "admin.key";
/// Where the key that signs tokens is kept, below the data directory.
pub const JWT_SECRET_FILE: &str = "jwt.secret";
/// The variable that sets the administrator's key from outside.
pub const ADMIN_KEY_VARIABLE: &str = "MCPANEL_ADMIN_KEY";
/// The variable that sets the key that signs tokens from outside.
pub const JWT_SECRET_VARIABLE: &str = "JWT_SECRET";

/// Longest secret file read, in bytes.
const SECRET_FILE_BYTES_MAX: u64 = 4_096;

/// What the server keeps to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The administrator's API key.
    pub admin_key: Secret,
    /// Signs tokens.
    pub jwt: Secret,
}

/// Secrets as the environment gives them; `Some("")` is a variable that is set and empty.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The value of [`ADMIN_KEY_VARIABLE`].
    pub admin_key: Option<Secret>,
    /// The value of [`JWT_SECRET_VARIABLE`].
    pub jwt: Option<Secret>,
}

/// Why the secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable is set and empty, which on a public address is rather a mistake than a wish.
    #[error("`{variable}` is set but empty; give it a value, or unset it to have one made")]
    Empty { variable: &'static str },
    /// A secret can be guessed.
    #[error(
        "`{name}` is too weak for the public address {address}: {weakness}; take the output of `openssl rand -hex 32`"
    )]
    Weak {
        name: String,
        address: IpAddr,
        weakness: Weakness,
    },
    /// Others on this machine can read a secret.
    #[error("others can read `{}` (mode {mode:o}); run `chmod 600` on it", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    /// A file holds no secret.
    #[error("`{}` holds no secret; delete it to have one made", path.display())]
    Unusable { path: PathBuf },
    /// A file cannot be read or written.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
}

impl Secrets {
    /// Loads the secrets for a server on `address`: what is given from outside wins over the files
    /// in `dir`, and missing files are made with mode 0600. The directory is made if needed.
    pub fn load(dir: &Path, given: Given, address: IpAddr) -> Result<Self, Error> {
        let public = is_public(address);
        let judge = |secret: Secret, name: String| match secret.weakness().filter(|_| public) {
            Some(weakness) => Err(Error::Weak {
                name,
                address,
                weakness,
            }),
            None => Ok(secret),
        };
        let choose = |given: Option<Secret>,
                      variable: &'static str,
                      file: &str,
                      make: fn() -> Result<Secret, Error>| match given {
            Some(secret) if !secret.reveal().is_empty() => judge(secret, variable.to_owned()),
            Some(_) if public => Err(Error::Empty { variable }),
            Some(_) | None => {
                let path = dir.join(file);
                judge(read_or_make(&path, make)?, path.display().to_string())
            }
        };
        Ok(Self {
            admin_key: choose(
                given.admin_key,
                ADMIN_KEY_VARIABLE,
                ADMIN_KEY_FILE,
                make_admin_key,
            )?,
            jwt: choose(
                given.jwt,
                JWT_SECRET_VARIABLE,
                JWT_SECRET_FILE,
                make_jwt_secret,
            )?,
        })
    }
}

/// Whether a server on this address can be reached from other machines.
pub fn is_public(address: IpAddr) -> bool {
    !address.to_canonical().is_loopback()
}

fn make_admin_key() -> Result<Secret, Error> {
    Ok(Secret::new(ApiKeySecret::of(random()?).reveal()))
}

fn make_jwt_secret() -> Result<Secret, Error> {
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(random()?)))
}

fn random() -> Result<[u8; RANDOM_BYTES], Error> {
    let mut bytes = [0; RANDOM_BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::Random(error.to_string()))?;
    Ok(bytes)
}

fn read_or_make(path: &Path, make: fn() -> Result<Secret, Error>) -> Result<Secret, Error> {
    if let Some(secret) = read(path)? {
        return Ok(secret);
    }
    let secret = make()?;
    if write_new(path, &secret)? {
        return Ok(secret);
    }
    // Another process was faster; its secret is the one.
    read(path)?.ok_or_else(|| Error::Unusable {
        path: path.to_owned(),
    })
}

fn read(path: &Path) -> Result<Option<Secret>, Error> {
    let failed = |source| Error::Io {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    refuse_exposed(path, &metadata)?;
    if metadata.len() > SECRET_FILE_BYTES_MAX {
        return Err(Error::Unusable {
            path: path.to_owned(),
        });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let secret = text.trim_end();
    if secret.is_empty() {
        return Err(Error::Unusable {
            path: path.to_owned(),
        });
    }
    Ok(Some(Secret::new(secret)))
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

/// Writes a new file that appears whole or not at all; `false` when there is one already.
fn write_new(path: &Path, secret: &Secret) -> Result<bool, Error> {
    let failed = |source| Error::Io {
        what: "write",
        path: path.to_owned(),
        source,
    };
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed)?;
    // The name is this process's own, so a draft that a crash left behind is in nobody's way.
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        writeln!(file, "{}", secret.reveal())?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what another process put there.
        fs::hard_link(&draft, path)?;
        fs::File::open(dir)?.sync_all()
    });
    let tidied = fs::remove_file(&draft);
    match written {
        Ok(()) => tidied.map(|()| true).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests;
