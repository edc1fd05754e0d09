//! `mcpanel doctor`: looks at a configuration and its servers, and says in words what is wrong.
//!
//! - [`settings`]: what this machine's configuration and environment say
//! - [`machine`]: clock, secrets, addresses: what a server on this machine needs; [`folders`]: and where it keeps data
//! - [`server`]: the server that commands speak to, and the credential for it
//! - [`stores`]: MongoDB and Redis, where they are used
//! - [`options`]: role, limits, origins, artifacts, a bias service
//!
//! A look never changes anything. Looks that depend on nothing go on after a problem: all is told at once.

mod finding;
mod folders;
mod machine;
mod options;
mod server;
mod settings;
mod stores;

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;

use super::common::listening;
use crate::{
    Result,
    arguments::{DATA_DEFAULT, Format, Global},
    exit::Exit,
    output::{self, listing, numbers::counted},
};
use finding::{Finding, Verdict};

/// Look at a configuration and its servers, and say what is wrong.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Where a server on this machine keeps its data.
    #[arg(long, env = "MCPANEL_DATA", value_name = "DIR", default_value = DATA_DEFAULT)]
    pub data: PathBuf,
    /// Where a server on this machine serves the API.
    #[arg(
        long,
        env = "MCPANEL_HTTP",
        value_name = "ADDRESS",
        value_parser = listening::parse,
        default_value = "127.0.0.1:8080"
    )]
    pub http: SocketAddr,
    /// Where it serves the realtime protocol.
    #[arg(
        long,
        env = "MCPANEL_REALTIME",
        value_name = "ADDRESS",
        value_parser = listening::parse,
        default_value = "127.0.0.1:8081"
    )]
    pub realtime: SocketAddr,
    #[command(flatten)]
    options: options::Options,
    /// Look at the server that commands speak to alone, and not at this machine.
    #[arg(long)]
    remote: bool,
    /// Take warnings for problems.
    #[arg(long)]
    strict: bool,
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Report {
    /// The worst that was found.
    verdict: Verdict,
    /// This program's version.
    version: &'static str,
    findings: Vec<Finding>,
}

impl Doctor {
    /// Looks, tells, and answers with exit code 1 when there is a problem.
    pub async fn execute(self, global: &Global) -> Result {
        let mut findings = Vec::new();
        settings::look(&mut findings);
        if !self.remote {
            machine::look(&self, &mut findings).await;
            let given = stores::look(&mut findings).await;
            options::look(&self, given, &mut findings).await;
        }
        server::look(global, &mut findings).await;
        let worst = findings.iter().map(|finding| finding.verdict).max();
        let report = Report {
            verdict: worst.unwrap_or(Verdict::Ok),
            version: env!("CARGO_PKG_VERSION"),
            findings,
        };
        report.show(global)?;
        Ok(match report.verdict {
            Verdict::Problem => Exit::Failed,
            Verdict::Warning if self.strict => Exit::Failed,
            Verdict::Ok | Verdict::Skipped | Verdict::Warning => Exit::Ok,
        })
    }
}

impl Report {
    fn show(&self, global: &Global) -> Result<()> {
        match global.format() {
            Format::Json => output::json(self),
            Format::Yaml => output::yaml::document(self),
            Format::Table if io::stdout().is_terminal() && global.columns.is_empty() => {
                self.findings.iter().try_for_each(Finding::tell)?;
                self.summarise();
                Ok(())
            }
            Format::Table | Format::Wide | Format::Jsonl | Format::Name => {
                listing::many(global.form(), &self.findings)?;
                self.summarise();
                Ok(())
            }
        }
    }

    fn summarise(&self) {
        let count = |verdict| {
            let found = self.findings.iter();
            found.filter(|finding| finding.verdict == verdict).count() as u64
        };
        output::say(format_args!(
            "{}, {}",
            counted(count(Verdict::Problem), "problem"),
            counted(count(Verdict::Warning), "warning")
        ));
    }
}
