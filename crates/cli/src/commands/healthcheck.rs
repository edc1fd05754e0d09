//! `mcpanel healthcheck`: whether a server takes requests, as an exit code.

use std::time::Duration;

use clap::Args;
use mcpanel_api::health::Health;

use crate::{Failure, Result, arguments::Global, connect, exit::Exit, output};

/// Ask a server whether it takes requests.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Only whether the process runs.
    #[arg(long)]
    live: bool,
}

impl Healthcheck {
    pub async fn execute(self, global: &Global) -> Result {
        // Whoever asks asks again: no patience here.
        let client = connect::anonymous(global)?.with_patience(Duration::ZERO);
        let probe = if self.live {
            client.health_live().await?
        } else {
            client.health_ready().await?
        };
        let status = output::listing::word(probe.status);
        match probe.status {
            Health::Healthy | Health::Degraded | Health::NotConfigured => {
                output::line(&status)?;
                Ok(Exit::Ok)
            }
            Health::Unhealthy => Err(Failure::new(format!("`{}` is {status}", client.base_url()))),
        }
    }
}
