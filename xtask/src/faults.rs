//! `cargo xtask faults`: three instances under load while a part of them dies, stands still or forgets.

use std::process::Command;

use anyhow::Result;

use crate::command::{binary, cargo, root, run as run_command};

/// Builds the binary and the fault runs, and passes the arguments on to those.
pub fn run(arguments: &[&str]) -> Result<()> {
    run_command(&mut cargo(&[
        "build",
        "--workspace",
        "--locked",
        "--bin",
        "mcpanel",
        "--bin",
        "mcpanel-fault-runs",
    ]))?;
    run_command(
        Command::new(binary("mcpanel-fault-runs"))
            .args(arguments)
            .current_dir(root())
            .env("MCPANEL_BIN", binary("mcpanel")),
    )
}
