//! Development tasks, run as `cargo xtask <task>`.
//!
//! Each task is a few commands that anybody could type. They are shown before they run, they write straight to the
//! terminal, and the first one that fails ends the task with a true exit code. CI calls the same tasks.

mod bench;
mod browser;
mod command;
mod faults;
mod lint;
mod openapi;
mod servers;
mod sim;
mod socket_clients;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <task>

tasks:
  test                run all tests; say what ran, and what was skipped and why
  browser             run the dashboard's journeys in Chromium, and nothing else
  socket-clients      run the official Socket.IO clients against the binary as it was built last
  lint                formatting, clippy and docs with warnings as errors, dependency rules
  faults [--short] [--list] [--cluster] [NAME...]
                      three instances under load while a part of them dies, stands still or forgets
  bench [--debug] [--cluster] [--instances N]... [--tasks N] [--rate N] [--seconds N]
                      lifecycles and latencies over real servers and so many instances (0: the embedded store; default:
                      0, 1 and 2), with what each process used
  ci                  lint, then openapi --check, then test, then faults --short
  openapi [--check]   write openapi/openapi.json from the server's own description, or compare it
  servers [--mongo] [--mongo3] [--redis] [--cluster] [-- COMMAND]
                      start real servers (default: all) for COMMAND, or until Ctrl-C
  sim [--seeds N]     simulate N seeds (default 1000) over the control layer
  sim --seed N        reproduce one seed
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["test"] => test::run(),
        ["socket-clients"] => test::run_socket_clients(),
        ["browser"] => test::run_browser(),
        ["lint"] => lint::check(),
        ["ci"] => lint::check()
            .and_then(|()| openapi::check())
            .and_then(|()| test::run())
            .and_then(|()| faults::run(&["--short"])),
        ["openapi"] => openapi::write(),
        ["openapi", "--check"] => openapi::check(),
        ["bench", arguments @ ..] => bench::run(arguments),
        ["faults", arguments @ ..] => faults::run(arguments),
        ["servers", arguments @ ..] => servers::run(arguments),
        ["sim", options @ ..] => sim::run(options),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("unknown task `{}`\n\n{USAGE}", other.join(" ")),
    }
}
