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
    // Private items too: these docs are for whoever works on the code, and module docs link to the parts they tell of.
    run(cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ])
    .env("RUSTDOCFLAGS", "-D warnings"))?;
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
