//! Tools that tests need and that a registry has: fetched into `target/tools`, and again when what is asked for changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{find, root, run};

/// Holds what was asked for when the tools beside it were fetched.
const STAMP: &str = ".fetched";

/// The file that says which packages a script needs, in the words of npm.
const PACKAGES: &str = "package.json";

/// Whether a variable such as `MCPANEL_TEST_REQUIRE_CLIENTS` asks for something: only `1` does.
pub fn is_required(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// A folder of `target/tools`, made when it is missing.
pub fn folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/tools").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    Ok(folder)
}

/// Scripts for Node.js beside their packages.
pub struct Scripts {
    /// The interpreter.
    pub node: PathBuf,
    /// Where scripts and packages are.
    pub folder: PathBuf,
}

/// Copies the scripts of `from` into the folder `name` of `target/tools`, and fetches the packages that they pin. Packages
/// are looked for beside the scripts, and the source folder stays as it is.
pub fn node_scripts(from: &Path, name: &str) -> Result<Scripts> {
    let node = find("node").context("there is no `node` on the PATH")?;
    let npm = find("npm").context("there is no `npm` on the PATH")?;
    let folder = folder(name)?;
    copy_files(from, &folder).context("the scripts cannot be copied")?;
    let pins = from.join(PACKAGES);
    fetch_once(&pins, &folder.join("node_modules"), || {
        let mut install = Command::new(npm);
        install
            .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
            .arg("--ignore-scripts")
            .current_dir(&folder);
        run(&mut install)
    })
    .with_context(|| format!("cannot fetch what `{}` asks for", pins.display()))?;
    Ok(Scripts { node, folder })
}

/// Lets `fetch` fill the folder `into` with what the file `pins` asks for, unless it holds that already.
pub fn fetch_once(pins: &Path, into: &Path, fetch: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(pins).with_context(|| format!("cannot read `{}`", pins.display()))?;
    let stamp = into.join(STAMP);
    if fs::read(&stamp).is_ok_and(|fetched| fetched == wanted) {
        return Ok(());
    }
    fetch()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write `{}`", stamp.display()))
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn what_was_fetched_is_fetched_again_when_something_else_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (pins, into) = (folder.path().join("pins"), folder.path().join("into"));
        let mut fetched = 0;
        let mut fetch = |wanted: &str| {
            fs::write(&pins, wanted).unwrap();
            fetch_once(&pins, &into, || {
                fetched += 1;
                Ok(fs::create_dir_all(&into)?)
            })
            .unwrap();
            fetched
        };
        assert_eq!(fetch("a 1"), 1);
        assert_eq!(fetch("a 1"), 1, "it is there");
        assert_eq!(fetch("a 2"), 2);
        fs::remove_dir_all(&into).unwrap();
        assert_eq!(fetch("a 2"), 3, "it is gone");
    }

    #[test]
    fn what_could_not_be_fetched_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let pins = folder.path().join("pins");
        fs::write(&pins, "a 1").unwrap();
        let failed = fetch_once(&pins, folder.path(), || bail!("no registry"));
        assert!(failed.is_err());
        let mut is_tried = false;
        fetch_once(&pins, folder.path(), || {
            is_tried = true;
            Ok(())
        })
        .unwrap();
        assert!(is_tried);
    }
}
