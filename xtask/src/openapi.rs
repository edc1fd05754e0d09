//! The description of the API in `openapi/openapi.json` is what the server says of itself.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::command::{cargo, output, root};

/// Writes the server's description of its API to the checked-in file.
pub fn write() -> Result<()> {
    let path = path();
    let folder = path.parent().expect("the path names a folder");
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    fs::write(&path, describe()?).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Fails when the checked-in file differs from what the server says now.
pub fn check() -> Result<()> {
    let path = path();
    let checked_in =
        fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    ensure!(
        checked_in == describe()?,
        "`{}` is out of date; run `cargo xtask openapi` and commit the change",
        path.display()
    );
    println!("openapi/openapi.json is what the server says");
    Ok(())
}

fn describe() -> Result<Vec<u8>> {
    output(&mut cargo(&[
        "run",
        "--quiet",
        "--locked",
        "--package",
        "mcpanel-cli",
        "--",
        "openapi",
    ]))
}

fn path() -> PathBuf {
    root().join("openapi").join("openapi.json")
}
