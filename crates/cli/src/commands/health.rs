//! `mcpanel health` and `mcpanel services`: how a server is, and what it offers.

use mcpanel_api::{
    discovery::Service,
    health::{Health, HealthCheck, HealthStatus},
};
use serde::Serialize;

use super::common;
use crate::{
    Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{
        self,
        cell::{Cell, text},
        listing::{self, Row},
    },
};

/// Shows how a server and its parts are; exit code 1 when it is not well.
pub async fn execute(global: &Global) -> Result {
    let client = common::client(global)?;
    let health = client.health().await?;
    match global.format() {
        Format::Json => output::json(&health)?,
        Format::Jsonl => output::jsonl(&health)?,
        Format::Yaml => output::yaml::document(&health)?,
        Format::Name => output::line(&listing::word(health.status))?,
        Format::Table | Format::Wide => {
            listing::many(global.form(), &parts(&health))?;
            let status = listing::word(health.status);
            output::say(format_args!(
                "{} {} at `{}` is {status}",
                health.service,
                health.version,
                client.base_url()
            ));
        }
    }
    Ok(match health.status {
        Health::Unhealthy => Exit::Failed,
        _ => Exit::Ok,
    })
}

/// Shows what a server offers, and where.
pub async fn services(global: &Global) -> Result {
    let client = common::client(global)?;
    listing::many(global.form(), &client.discover_services().await?.services)?;
    Ok(Exit::Ok)
}

fn parts(health: &HealthCheck) -> Vec<Part<'_>> {
    let checks = &health.checks;
    [
        ("database", &checks.database),
        ("redis", &checks.redis),
        ("external_services", &checks.external_services),
        ("system_resources", &checks.system_resources),
    ]
    .map(|(part, status)| Part { part, status })
    .into()
}

/// One part of a server.
#[derive(Debug, Serialize)]
struct Part<'a> {
    part: &'static str,
    #[serde(flatten)]
    status: &'a HealthStatus,
}

impl Row for Part<'_> {
    const HEADER: &'static [&'static str] = &["PART", "STATUS", "LATENCY", "MESSAGE"];
    const WIDE: &'static [&'static str] = &["FIGURES"];

    fn name(&self) -> String {
        self.part.to_owned()
    }

    fn cells(&self) -> Vec<Cell> {
        let latency = self.status.latency_ms.map(|ms| format!("{ms:.1} ms"));
        vec![
            text(self.part),
            Cell::status(self.status.status),
            latency.into(),
            self.status.message.as_deref().map(Cell::long).into(),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        let figures = self.status.figures.iter();
        let figures: Vec<String> = figures
            .map(|(name, figure)| format!("{name}={figure}"))
            .collect();
        vec![figures.join(" ").into()]
    }
}

impl Row for Service {
    const HEADER: &'static [&'static str] =
        &["SERVICE", "STATUS", "PROTOCOL", "URL", "DESCRIPTION"];
    const WIDE: &'static [&'static str] = &["VERSION"];

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.name),
            Cell::status(self.status),
            text(&self.protocol),
            text(&self.url),
            Cell::long(&self.description),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![text(&self.version)]
    }
}
