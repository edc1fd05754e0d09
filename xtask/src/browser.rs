//! The dashboard's journeys in a real browser: what people do, click by click, with axe looking for barriers on every page.
//!
//! They need Chromium, Node.js, and two packages, which npm fetches into `target/tools` in the versions that `package.json`
//! pins. Pictures of the pages are left in `target/dashboard-shots` for people to look at.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, find, root, run as run_command};
use crate::tools::{is_required, node_scripts};

/// Makes a missing browser a failure, where somebody counts on these tests.
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_BROWSER";

/// Where scripts and packages are, in `target/tools`.
const TOOLS: &str = "dashboard-browser";

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
    let found = chromium().and_then(|browser| Ok((browser, node_scripts(&scripts(), TOOLS)?)));
    let (browser, scripts) = match found {
        Ok(found) => found,
        Err(missing) if is_required(REQUIRED) => bail!("{WHAT} are required, but {missing:#}"),
        Err(missing) => return Ok(Outcome::Skipped(format!("{missing:#}"))),
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
    let mut journeys = Command::new(&scripts.node);
    journeys
        .args(["--test", "--test-reporter=spec", "journeys.mjs"])
        .current_dir(&scripts.folder)
        .env("MCPANEL_BIN", binary)
        .env("MCPANEL_SHOTS", &shots)
        .env(
            "MCPANEL_SAMPLE",
            root().join("examples/counselling-sample.csv"),
        )
        .env(CHROMIUM, &browser);
    run_command(&mut journeys)?;
    Ok(Outcome::Ran(shots))
}

fn scripts() -> PathBuf {
    root().join("crates/dashboard/tests/browser")
}

/// The browser, or what is missing.
fn chromium() -> Result<PathBuf> {
    let named = std::env::var_os(CHROMIUM).map(PathBuf::from);
    named
        .filter(|path| path.is_file())
        .or_else(|| BROWSERS.iter().find_map(|name| find(name)))
        .context("there is no Chromium on the PATH")
}
