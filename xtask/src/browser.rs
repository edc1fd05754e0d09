//! The dashboard's journeys in a real browser: what people do, click by click, with axe looking for barriers on every page.
//!
//! They need Chromium, Node.js, and two packages that npm fetches once into `target/tools`. Pictures of the pages are left in
//! `target/dashboard-shots` for people to look at.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, root, run as run_command};

/// Makes a missing browser a failure, where somebody counts on these tests.
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_BROWSER";

/// Names the browser where it has an unusual place.
const CHROMIUM: &str = "CHROMIUM";

/// Where browsers of this family usually are.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// What the journeys are called in reports.
pub const WHAT: &str = "the dashboard's journeys in Chromium";

/// How it went.
pub enum Outcome {
    /// They passed; pictures are here.
    Ran(PathBuf),
    /// Something is missing.
    Skipped(String),
}

/// Runs the journeys against `binary`.
pub fn run(binary: &Path) -> Result<Outcome> {
    let tools = match tools() {
        Ok(tools) => tools,
        Err(missing) if std::env::var_os(REQUIRED).is_some_and(|value| value == "1") => {
            bail!("{WHAT} are required, but {missing}")
        }
        Err(missing) => return Ok(Outcome::Skipped(missing)),
    };
    run_command(&mut cargo(&[
        "build",
        "--workspace",
        "--locked",
        "--bin",
        "mcpanel",
    ]))?;
    let target = binary
        .ancestors()
        .nth(2)
        .context("the binary lies in a folder of the target folder")?;
    let shots = target.join("dashboard-shots");
    let mut journeys = Command::new(&tools.node);
    journeys
        .args(["--test", "--test-reporter=spec", "journeys.mjs"])
        .current_dir(&tools.folder)
        .env("MCPANEL_BIN", binary)
        .env("MCPANEL_SHOTS", &shots)
        .env(
            "MCPANEL_SAMPLE",
            root().join("examples/counselling-sample.csv"),
        )
        .env(CHROMIUM, &tools.browser);
    run_command(&mut journeys)?;
    Ok(Outcome::Ran(shots))
}

struct Tools {
    node: PathBuf,
    browser: PathBuf,
    /// Scripts and packages, side by side.
    folder: PathBuf,
}

/// Everything that is needed, or what is missing.
fn tools() -> Result<Tools, String> {
    let node = find("node").ok_or("there is no `node` on the PATH")?;
    let npm = find("npm").ok_or("there is no `npm` on the PATH")?;
    let named = std::env::var_os(CHROMIUM).map(PathBuf::from);
    let browser = named
        .filter(|path| path.is_file())
        .or_else(|| BROWSERS.iter().find_map(|name| find(name)))
        .ok_or("there is no Chromium on the PATH")?;
    let folder = root().join("target/tools/dashboard-browser");
    copy(&root().join("crates/dashboard/tests/browser"), &folder)
        .map_err(|error| format!("the scripts cannot be copied: {error}"))?;
    let fetched = Command::new(npm)
        .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder)
        .status();
    match fetched {
        Ok(status) if status.success() => Ok(Tools {
            node,
            browser,
            folder,
        }),
        Ok(status) => Err(format!("`npm install` failed ({status})")),
        Err(error) => Err(format!("`npm` does not start: {error}")),
    }
}

/// Packages are looked for beside the scripts, and the source folder stays as it is.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
