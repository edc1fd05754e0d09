//! `cargo xtask servers`: real servers for tests, for as long as a command runs.
//!
//! Without a command they run until Ctrl-C. Either way just those end that were started here, even when this program is
//! killed: see the crate `mcpanel-test-servers`.

use std::process::Command;

use anyhow::{Result, bail};
use mcpanel_test_servers::{
    MONGODB_URI, MONGODB3_URI, REDIS_CLUSTER_URL, REDIS_URL, REQUIRE_SERVERS, Servers, Wanted,
};

use crate::command::{root, run as run_command};
use crate::tools::is_required;

const USAGE: &str = "\
usage: cargo xtask servers [--mongo] [--mongo3] [--redis] [--cluster] [-- COMMAND]

Starts real servers on free ports of this machine, prints their addresses, and runs COMMAND with them in its
environment, or waits until Ctrl-C. The servers end with it.

options (without any: all of them):
  --mongo    MongoDB, a replica set of one node          MCPANEL_TEST_MONGODB_URI
  --mongo3   MongoDB, a replica set of three nodes       MCPANEL_TEST_MONGODB3_URI
  --redis    one Redis                                   MCPANEL_TEST_REDIS_URL
  --cluster  a Redis Cluster of three masters            MCPANEL_TEST_REDIS_CLUSTER_URL
";

/// Starts the servers that the options name, or all, and runs the command after `--` with their names in its environment.
pub fn run(arguments: &[&str]) -> Result<()> {
    let (options, command) = match arguments.iter().position(|argument| *argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    if options
        .iter()
        .any(|option| matches!(*option, "help" | "--help" | "-h"))
    {
        print!("{USAGE}");
        return Ok(());
    }
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

/// Servers for the tests, and what there is to say about each kind.
pub struct ForTests {
    /// Runs them until it is dropped.
    pub servers: Vec<Servers>,
    /// What the tests run over.
    pub given: Vec<String>,
    /// What they cannot run over, and why.
    pub missing: Vec<(&'static str, String)>,
}

impl ForTests {
    /// Starts each wanted kind that the environment does not name. One that cannot be started is missing, unless the
    /// environment says that none may be: then this fails.
    pub fn start(wanted: Wanted) -> Result<Self> {
        let kinds = [
            (
                "MongoDB (one node)",
                MONGODB_URI,
                Wanted {
                    mongo: true,
                    ..Wanted::NONE
                },
            ),
            (
                "MongoDB (three nodes)",
                MONGODB3_URI,
                Wanted {
                    mongo3: true,
                    ..Wanted::NONE
                },
            ),
            (
                "Redis",
                REDIS_URL,
                Wanted {
                    redis: true,
                    ..Wanted::NONE
                },
            ),
            (
                "Redis Cluster",
                REDIS_CLUSTER_URL,
                Wanted {
                    cluster: true,
                    ..Wanted::NONE
                },
            ),
        ];
        let mut found = Self {
            servers: Vec::new(),
            given: Vec::new(),
            missing: Vec::new(),
        };
        eprintln!("\nstarting servers …");
        let is_wanted = [wanted.mongo, wanted.mongo3, wanted.redis, wanted.cluster];
        let kinds = kinds.into_iter().zip(is_wanted);
        for ((name, variable, wanted), _) in kinds.filter(|(_, is_wanted)| *is_wanted) {
            // Blank is not set, as everywhere.
            if std::env::var(variable).is_ok_and(|address| !address.trim().is_empty()) {
                found.given.push(format!("{name}, as `{variable}` says"));
                continue;
            }
            match Servers::start(wanted) {
                Ok(servers) => {
                    found.given.push(name.to_owned());
                    found.servers.push(servers);
                }
                Err(error) if is_required(REQUIRE_SERVERS) => {
                    return Err(anyhow::Error::new(error).context(format!(
                        "`{REQUIRE_SERVERS}` is set, and there is no {name}"
                    )));
                }
                Err(error) => found.missing.push((name, error.to_string())),
            }
        }
        Ok(found)
    }

    /// The address that this variable has for the tests.
    pub fn address(&self, variable: &str) -> Option<String> {
        let started = self.environment().into_iter();
        started
            .filter_map(|(name, address)| (name == variable).then_some(address))
            .chain(std::env::var(variable))
            .find(|address| !address.trim().is_empty())
    }

    /// The names and addresses for the environment of the tests.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.servers.iter().flat_map(Servers::environment).collect()
    }
}
