//! Fault runs: three real instances over a real MongoDB and Redis, under load, while a part of them dies, stands still or
//! forgets. Afterwards everything that was acknowledged must be there, and nothing must have happened twice.
//!
//! `cargo xtask faults` builds the binary and runs this; `cargo xtask faults --short` runs the selection that CI runs.
//!
//! - [`site`]: the servers and instances of one run
//! - [`balance`]: a caller that goes to the next instance when one does not answer
//! - [`load`]: who creates, and who works
//! - [`book`]: what was acknowledged, and when
//! - [`faults`]: what goes wrong
//! - [`audit`]: what must hold afterwards

mod audit;
mod balance;
mod book;
mod faults;
mod load;
mod site;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use faults::Fault;
use mcpanel_test_servers::{REQUIRE_SERVERS, mongod, redis_server};

const USAGE: &str = "\
usage: mcpanel-fault-runs [--short] [--list] [--cluster] [NAME…]

  --short    those that CI runs
  --list     name all of them, and run none
  --cluster  over a Redis Cluster of three masters instead of one Redis

The binary `mcpanel` is named by the variable MCPANEL_BIN.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Chosen { faults, cluster } = match choose(&arguments) {
        Ok(chosen) => chosen,
        Err(error) => {
            eprintln!("{error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(missing) = mongod().and_then(|_| redis_server()) {
        let required = std::env::var(REQUIRE_SERVERS).is_ok_and(|value| value == "1");
        println!("skipped: {missing}");
        return match required {
            true => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        };
    }
    let mut failed = Vec::new();
    let mut told = Vec::new();
    for fault in faults {
        println!("\n== {}: {}", fault.name(), fault.story());
        match run(fault, cluster) {
            Ok(faults::Told::Ran(report)) => {
                println!("{report}");
                told.push((fault.name(), report.recovery()));
            }
            Ok(faults::Told::Skipped(why)) => {
                println!("skipped: {why}");
                told.push((fault.name(), format!("skipped: {why}")));
            }
            Err(error) => {
                println!("FAILED: {error:#}");
                told.push((fault.name(), "FAILED".to_owned()));
                failed.push(fault.name());
            }
        }
    }
    println!("\nall runs:");
    for (name, words) in told {
        println!("  {name:<18} {words}");
    }
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// What to run, and over what.
struct Chosen {
    faults: Vec<Fault>,
    cluster: bool,
}

fn choose(arguments: &[String]) -> Result<Chosen> {
    let mut chosen = Vec::new();
    let mut cluster = false;
    for argument in arguments {
        match argument.as_str() {
            "--short" => chosen.extend(Fault::SHORT),
            "--cluster" => cluster = true,
            "--list" => {
                for fault in Fault::ALL {
                    println!("{:<18} {}", fault.name(), fault.story());
                }
                std::process::exit(0);
            }
            name => match Fault::ALL.into_iter().find(|fault| fault.name() == name) {
                Some(fault) => chosen.push(fault),
                None => bail!("there is no fault run `{name}`; `--list` lists them"),
            },
        }
    }
    let faults = match chosen.is_empty() {
        true => Fault::ALL.into(),
        false => chosen,
    };
    Ok(Chosen { faults, cluster })
}

fn run(fault: Fault, cluster: bool) -> Result<faults::Told> {
    let binary = std::env::var_os("MCPANEL_BIN")
        .map(PathBuf::from)
        .context("`MCPANEL_BIN` does not name the binary `mcpanel`")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(faults::run(fault, cluster, &binary))
}
