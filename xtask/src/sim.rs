//! The deterministic simulation of the control layer, many seeds or one.

use anyhow::{Result, bail, ensure};

use crate::command::{cargo, run as run_command};

/// What every change must pass.
const SEEDS_DEFAULT: &str = "1000";

/// Simulates `--seeds N` seeds, or reproduces the one named by `--seed N`.
pub fn run(options: &[&str]) -> Result<()> {
    let (option, number) = match options {
        [] => ("--seeds", SEEDS_DEFAULT),
        [option @ ("--seeds" | "--seed"), number] => (*option, *number),
        other => bail!(
            "cannot read `{}`; it takes `--seeds N` or `--seed N`",
            other.join(" ")
        ),
    };
    ensure!(
        number.parse::<u64>().is_ok(),
        "`{option}` takes a whole number, not `{number}`"
    );
    run_command(&mut cargo(&[
        "run",
        "--locked",
        "--package",
        "mcpanel-sim",
        "--",
        option,
        number,
    ]))
}
