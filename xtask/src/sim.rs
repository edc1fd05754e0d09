//! The deterministic simulation of the control layer, many seeds or one.

use anyhow::{Result, bail, ensure};

use crate::command::{cargo, run as run_command};

/// What every change must pass.
const SEEDS_DEFAULT: &str = "1000";

/// The grounds that the control layer is simulated on.
const GROUNDS: [&str; 2] = ["embedded", "distributed"];

/// Simulates `--seeds N` seeds, or reproduces the one named by `--seed N`; on the ground that is named last.
pub fn run(options: &[&str]) -> Result<()> {
    let (options, ground) = match options {
        [before @ .., "--ground", ground] => (before, *ground),
        all => (all, GROUNDS[0]),
    };
    ensure!(
        GROUNDS.contains(&ground),
        "`--ground` takes `embedded` or `distributed`, not `{ground}`"
    );
    let (option, number) = match options {
        [] => ("--seeds", SEEDS_DEFAULT),
        [option @ ("--seeds" | "--seed"), number] => (*option, *number),
        other => bail!(
            "cannot read `{}`; it takes `--seeds N` or `--seed N`, then `--ground distributed`",
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
        "--ground",
        ground,
    ]))
}
