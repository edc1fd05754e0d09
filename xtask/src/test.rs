//! `cargo xtask test`: every test, with nothing but the Rust toolchain to install.
//!
//! Some tests need more than the toolchain: real servers, which this starts where it can, or Python. What is missing is
//! skipped, and the closing lines say what and why, so that a green run never claims more than it proved.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use mcpanel_test_servers::Wanted;

use crate::{
    browser,
    command::{binary, cargo, find, root, run as run_command},
    servers::ForTests,
    socket_clients,
};

/// Runs all tests, then says plainly what ran and what was skipped.
pub fn run() -> Result<()> {
    let mut report = Report::default();

    // Not `--all-features`: some features break a rule on purpose, to show that the simulation notices.
    // Built first, so that no server waits for the compiler.
    run_command(&mut cargo(&["test", "--workspace", "--locked", "--no-run"]))?;
    let servers = ForTests::start(Wanted::ALL)?;
    // Every failure of a run is told, not the first.
    run_command(
        cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]).envs(servers.environment()),
    )?;
    report.ran("all tests of the workspace (cargo test)");
    for server in &servers.given {
        report.ran(format!("among them those over {server}"));
    }
    for (server, why) in &servers.missing {
        report.skipped(&format!("the tests over {server}"), why);
    }

    match std::env::var_os(SAMPLE_DATA).filter(|path| Path::new(path).is_file()) {
        Some(path) => report.ran(format!(
            "among them the stages over `{}`",
            Path::new(&path).display()
        )),
        None => report.skipped(
            "the stages over a large public dataset",
            format!("`{SAMPLE_DATA}` names no file"),
        ),
    }

    match find("python3") {
        Some(python) => {
            // The same features as the tests above, so that nothing is built a second time.
            run_command(&mut cargo(&[
                "build",
                "--workspace",
                "--locked",
                "--bin",
                "mcpanel",
            ]))?;
            let mut check = Command::new(python);
            check
                .args(["-B", "examples/agent_test.py", "-v"])
                .current_dir(root());
            run_command(check.env("MCPANEL_BIN", binary("mcpanel")))?;
            report.ran("examples/agent.py against the real binary");
        }
        None => report.skipped(
            "examples/agent.py against the real binary",
            "there is no `python3` on the PATH",
        ),
    }

    report.browser(browser::run(&binary("mcpanel"))?);
    report.socket_clients(socket_clients::test(&binary("mcpanel"), &servers)?);

    report.print();
    Ok(())
}

/// Runs the official Socket.IO clients and nothing else, against the binary as it was built last.
pub fn run_socket_clients() -> Result<()> {
    let mut report = Report::default();
    let servers = ForTests::start(Wanted {
        mongo: true,
        redis: true,
        ..Wanted::NONE
    })?;
    report.socket_clients(socket_clients::test(&binary("mcpanel"), &servers)?);
    report.print();
    Ok(())
}

/// Runs the dashboard's journeys and nothing else.
pub fn run_browser() -> Result<()> {
    let mut report = Report::default();
    report.browser(browser::run(&binary("mcpanel"))?);
    report.print();
    Ok(())
}

/// Names a CSV file for the tests that want more data than the repository holds.
const SAMPLE_DATA: &str = "MCPANEL_SAMPLE_DATA";

#[derive(Default)]
struct Report {
    ran: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    fn ran(&mut self, what: impl Into<String>) {
        self.ran.push(what.into());
    }

    fn socket_clients(&mut self, outcomes: Vec<socket_clients::Outcome>) {
        for outcome in outcomes {
            match outcome {
                socket_clients::Outcome::Ran(what) => self.ran(what),
                socket_clients::Outcome::Skipped(what, why) => self.skipped(&what, why),
            }
        }
    }

    fn skipped(&mut self, what: &str, why: impl AsRef<str>) {
        self.skipped.push(format!("{what}: {}", why.as_ref()));
    }

    fn browser(&mut self, outcome: browser::Outcome) {
        match outcome {
            browser::Outcome::Ran(shots) => {
                self.ran(format!(
                    "{}; pictures in `{}`",
                    browser::WHAT,
                    shots.display()
                ));
            }
            browser::Outcome::Skipped(why) => self.skipped(browser::WHAT, why),
        }
    }

    fn print(&self) {
        println!("\nAll passed.");
        for what in &self.ran {
            println!("  ran      {what}");
        }
        for what in &self.skipped {
            println!("  skipped  {what}");
        }
    }
}
