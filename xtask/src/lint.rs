//! Everything that can be wrong without running a test.

use anyhow::Result;

use crate::command::{cargo, find, run};

/// Formatting, clippy and docs with warnings as errors, then the rules of `deny.toml` where cargo-deny is installed.
pub fn check() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--", "--check"]))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    run(cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    if find("cargo-deny").is_none() {
        println!(
            "\nskipped: dependency rules; `cargo install --locked cargo-deny` brings what checks them"
        );
        return Ok(());
    }
    run(&mut cargo(&[
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))
}
