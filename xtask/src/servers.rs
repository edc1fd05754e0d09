//! `cargo xtask servers`: real servers for tests, for as long as a command runs.
//!
//! Without a command they run until Ctrl-C. Either way just those end that were started here, even when this program is
//! killed: see the crate `mcpanel-test-servers`.

use std::process::Command;

use anyhow::{Result, bail};
use mcpanel_test_servers::{Servers, Wanted};

use crate::command::{root, run as run_command};

/// Starts the servers that the options name, or all, and runs the command after `--` with their names in its environment.
pub fn run(arguments: &[&str]) -> Result<()> {
    let (options, command) = match arguments.iter().position(|argument| *argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let wanted = wanted(options)?;
    eprintln!("starting servers …");
    let servers = Servers::start(wanted)?;
    for (name, address) in servers.environment() {
        // In the form that a shell takes.
        println!("export {name}='{address}'");
    }
    match command {
        [] => {
            println!("\nrunning until Ctrl-C");
            loop {
                std::thread::park();
            }
        }
        [program, arguments @ ..] => run_command(
            Command::new(program)
                .args(arguments)
                .current_dir(root())
                .envs(servers.environment()),
        ),
    }
}

fn wanted(options: &[&str]) -> Result<Wanted> {
    let mut wanted = Wanted::NONE;
    for option in options {
        match *option {
            "--mongo" => wanted.mongo = true,
            "--mongo3" => wanted.mongo3 = true,
            "--redis" => wanted.redis = true,
            "--cluster" => wanted.cluster = true,
            other => bail!(
                "unknown option `{other}`; there are `--mongo`, `--mongo3`, `--redis`, `--cluster`, and `--` before a command"
            ),
        }
    }
    Ok(match wanted {
        Wanted::NONE => Wanted::ALL,
        some => some,
    })
}
