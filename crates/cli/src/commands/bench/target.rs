//! The server that is measured: one in this process over a folder of its own, or a remote one.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use mcpanel_api::health::HealthCheck;
use mcpanel_client::Credential;
use mcpanel_guard::secrets::Given;
use mcpanel_server::serve::{Instance, Running, Settings, start};
use tempfile::TempDir;

use super::{
    Target,
    wire::{Address, Wire},
};
use crate::{arguments::Global, connect};

/// A server to measure.
pub struct Server {
    pub address: Address,
    running: Option<Running>,
    /// Removed with it.
    _temporary: Option<TempDir>,
}

/// What this process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_s: f64,
    pub resident_bytes: u64,
}

impl Server {
    /// The server that was named, or a new one.
    pub async fn find(target: &Target, global: &Global) -> anyhow::Result<Self> {
        if target.remote {
            let place = connect::place(global)?;
            let host = place
                .url
                .strip_prefix("http://")
                .with_context(|| format!("`{}` does not begin with `http://`", place.url))?;
            return Ok(Self {
                address: Address {
                    host: host.trim_end_matches('/').to_owned(),
                    api_key: match place.credential {
                        Credential::ApiKey(key) => key,
                        Credential::Token(_) | Credential::None => {
                            bail!("set MCPANEL_API_KEY to a key of that server")
                        }
                    },
                },
                running: None,
                _temporary: None,
            });
        }
        let (data_dir, temporary) = match &target.data {
            Some(data) => (data.clone(), None),
            None => {
                let made = tempfile::Builder::new()
                    .prefix("mcpanel-bench-")
                    .tempdir()
                    .context("cannot make a folder for the server")?;
                (made.path().to_owned(), Some(made))
            }
        };
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = start(Settings {
            data_dir,
            http: local,
            realtime: local,
            origins: Vec::new(),
            secrets: Given::default(),
            instance: Instance::default(),
        })
        .await?;
        Ok(Self {
            address: Address {
                host: running.http_addr().to_string(),
                api_key: running.admin_key().reveal().to_owned(),
            },
            running: Some(running),
            _temporary: temporary,
        })
    }

    /// Flushes and commits of the store so far, where the server tells.
    pub async fn store_figures(&self) -> anyhow::Result<Option<(u64, u64)>> {
        let mut wire = Wire::open(&self.address).await?;
        let health: HealthCheck = wire.get("/api/v1/health").await?;
        let figures = health.checks.database.figures;
        let figure = |name: &str| figures.get(name).copied();
        Ok(figure("flushes").zip(figure("commits")))
    }

    /// What this process has used, where the server is in it and the system tells.
    pub fn usage(&self) -> Option<Usage> {
        self.running.as_ref()?;
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Fields are counted behind the name, which may hold spaces.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 =
            fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        let pages: u64 = fields.get(21)?.parse().ok()?;
        Some(Usage {
            cpu_s: ticks as f64 / TICKS_PER_SECOND,
            resident_bytes: pages * PAGE_BYTES,
        })
    }
}

/// What Linux reports processor time in, on every architecture in use.
const TICKS_PER_SECOND: f64 = 100.0;

/// The usual size of a page; where it is another, memory is off by that factor and its trend still right.
const PAGE_BYTES: u64 = 4_096;
