//! The file that holds the contexts: found, read, replaced.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use mcpanel_adapters::folder;

use super::Contexts;
use crate::{Failure, Result};

/// Longest file that is read, in bytes: hundreds of contexts with long tokens.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where the contexts are.
pub fn path() -> Result<PathBuf> {
    let absolute = |name: &str| {
        let value = env::var_os(name).map(PathBuf::from);
        // A relative one is to be ignored (XDG Base Directory Specification, 0.8).
        value.filter(|path| path.is_absolute())
    };
    let folder = absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .or_else(|| absolute("APPDATA"));
    folder
        .map(|folder| folder.join("mcpanel").join("config.toml"))
        .ok_or_else(|| {
            Failure::new("there is no folder for the configuration")
                .hint("set XDG_CONFIG_HOME to an absolute path")
        })
}

/// Reads the contexts; there are none where there is no file.
pub fn load() -> Result<Contexts> {
    match path() {
        Ok(path) => read(&path),
        // Whoever has no folder for a configuration has none.
        Err(_) => Ok(Contexts::default()),
    }
}

/// Replaces the contexts.
pub fn save(contexts: &Contexts) -> Result<()> {
    write(&path()?, contexts)
}

fn read(path: &Path) -> Result<Contexts> {
    let shown = path.display();
    let unreadable = |error: io::Error| Failure::new(format!("cannot read `{shown}`: {error}"));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contexts::default()),
        Err(error) => return Err(unreadable(error)),
    };
    let about = file.metadata().map_err(unreadable)?;
    if about.len() > FILE_BYTES_MAX {
        return Err(Failure::new(format!(
            "`{shown}` is longer than {FILE_BYTES_MAX} bytes, which no configuration is"
        )));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    let contexts: Contexts = toml::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{shown}` is no configuration: {error}"))
            .hint("mend it, or remove it and make the contexts anew with `mcpanel context add`")
    })?;
    let has_secrets = contexts
        .contexts
        .values()
        .any(|context| context.credential.is_some());
    if has_secrets {
        refuse_exposed(path, &about)?;
    }
    Ok(contexts)
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, about: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(Failure::usage(format!(
        "others on this machine can read `{shown}` (mode {mode:o}), which holds credentials"
    ))
    .hint(format!(
        "run `chmod 600 {shown}`, and revoke what others may have seen"
    )))
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}

fn write(path: &Path, contexts: &Contexts) -> Result<()> {
    let text = toml::to_string(contexts)
        .map_err(|error| Failure::new(format!("cannot write the configuration: {error}")))?;
    let replaced = (|| {
        if let Some(parent) = path.parent() {
            folder::make_private(parent)?;
        }
        // The name is this process's own, so a draft that a crash left behind is in nobody's way.
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path).inspect_err(|_| {
            let _ = fs::remove_file(&draft);
        })
    })();
    replaced.map_err(|error: io::Error| {
        Failure::new(format!("cannot write `{}`: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contexts::Context;

    fn contexts() -> Contexts {
        let context = Context {
            credential: Some("mcp_x".to_owned()),
            namespace: Some("team-a".parse().unwrap()),
            ca_file: Some("/etc/ca.pem".into()),
            allow_http: true,
            ..Context::of("http://127.0.0.1:1")
        };
        let name: super::super::ContextName = "eu.1".parse().unwrap();
        Contexts {
            current: Some(name.clone()),
            contexts: [(name, context)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/config.toml");
        assert_eq!(read(&path).unwrap(), Contexts::default());
        write(&path, &contexts()).unwrap();
        assert_eq!(read(&path).unwrap(), contexts());
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_secrets_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        write(&path, &contexts()).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let failure = read(&path).unwrap_err();
        assert!(failure.hint.unwrap().contains("chmod 600"));
    }

    #[test]
    fn a_file_that_is_none_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for text in [
            "current = 1",
            "[contexts.\"a b\"]\nurl = \"x\"",
            "[contexts.a]\nurll = \"x\"",
            "[",
        ] {
            fs::write(&path, text).unwrap();
            let failure = read(&path).unwrap_err();
            assert_eq!(failure.exit, crate::exit::Exit::Usage);
            assert!(failure.what.contains("line"), "{}", failure.what);
        }
    }
}
