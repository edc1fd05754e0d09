//! The servers that are measured: one in this process over a folder of its own, or some that run already.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::Args;
use mcpanel_api::health::HealthCheck;
use mcpanel_client::Credential;
use mcpanel_guard::secrets::Given;
use mcpanel_server::serve::{Instance, Running, Settings, start};
use tempfile::TempDir;

use super::{
    report::Report,
    usage::{Usage, Watched},
    wire::{Address, Wire},
};
use crate::{arguments::Global, connect};

/// What is measured.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// Measure the server of `--url`, instead of one in this process.
    #[arg(long)]
    remote: bool,
    /// Measure this server, which runs already; several are instances, over which the load is spread.
    #[arg(long = "server", value_name = "URL", conflicts_with = "remote")]
    servers: Vec<String>,
    /// Tell what this process of this machine uses meanwhile, such as `mongod=1234`; may be repeated.
    #[arg(long = "process", value_name = "NAME=PID")]
    processes: Vec<Watched>,
    /// Where the server in this process keeps its data; a new temporary folder when left out.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["remote", "servers"])]
    data: Option<PathBuf>,
    /// Take so many tasks through their life before measuring.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub preload: u64,
}

/// Servers to measure.
pub struct Servers {
    addresses: Vec<Address>,
    watched: Vec<Watched>,
    running: Option<Running>,
    /// Removed with it.
    _temporary: Option<TempDir>,
}

/// How everything stands at a moment.
pub struct Moment {
    usages: Vec<Option<Usage>>,
    store: Option<(u64, u64)>,
}

impl Servers {
    /// The servers that were named, or a new one.
    pub async fn find(target: &Target, global: &Global) -> anyhow::Result<Self> {
        if target.remote || !target.servers.is_empty() {
            return Self::that_run(target, global);
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
            addresses: vec![Address {
                host: running.http_addr().to_string(),
                api_key: running.admin_key().reveal().to_owned(),
            }],
            watched: watched("server and generator", target),
            running: Some(running),
            _temporary: temporary,
        })
    }

    fn that_run(target: &Target, global: &Global) -> anyhow::Result<Self> {
        let named = target.servers.iter().map(|url| Global {
            url: Some(url.clone()),
            ..global.clone()
        });
        let addresses: anyhow::Result<Vec<Address>> = match target.remote {
            true => std::iter::once(global.clone())
                .map(|place| address(&place))
                .collect(),
            false => named.map(|place| address(&place)).collect(),
        };
        Ok(Self {
            addresses: addresses?,
            watched: watched("generator", target),
            running: None,
            _temporary: None,
        })
    }

    /// Where the connection of this number goes: connections take turns.
    pub fn address(&self, number: usize) -> &Address {
        &self.addresses[number % self.addresses.len()]
    }

    /// How many instances there are.
    pub fn count(&self) -> usize {
        self.addresses.len()
    }

    /// When an answer is given.
    pub fn durability(&self) -> &'static str {
        match self.running {
            Some(_) => "every answer after its flush (fdatasync)",
            None => "every answer after the store that the servers run over calls it durable",
        }
    }

    /// How everything stands.
    pub async fn look(&self) -> anyhow::Result<Moment> {
        let mut store = Some((0, 0));
        for address in &self.addresses {
            let mut wire = Wire::open(address).await?;
            let health: HealthCheck = wire.get("/api/v1/health").await?;
            let figures = health.checks.database.figures;
            let figure = |name: &str| figures.get(name).copied();
            let found = figure("flushes").zip(figure("commits"));
            store = store
                .zip(found)
                .map(|((flushes, commits), (more, also))| (flushes + more, commits + also));
        }
        Ok(Moment {
            usages: self.watched.iter().map(Watched::usage).collect(),
            store,
        })
    }

    /// Writes down what was used since `before`, by so many tasks.
    pub async fn tell(
        &self,
        before: &Moment,
        tasks: u64,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let after = self.look().await?;
        if let (Some(before), Some(after)) = (before.store, after.store) {
            report.flushes = Some(after.0.saturating_sub(before.0));
            report.commits = Some(after.1.saturating_sub(before.1));
        }
        for ((watched, before), after) in self.watched.iter().zip(&before.usages).zip(&after.usages)
        {
            if let (Some(before), Some(after)) = (before, after) {
                report.used(&watched.name, before, after, tasks);
            }
        }
        Ok(())
    }
}

fn watched(own: &str, target: &Target) -> Vec<Watched> {
    let others = target.processes.iter().cloned();
    std::iter::once(Watched::own(own)).chain(others).collect()
}

fn address(global: &Global) -> anyhow::Result<Address> {
    let place = connect::place(global)?;
    let host = place.url.strip_prefix("http://").with_context(|| {
        format!(
            "`{}` does not begin with `http://`: a load generator speaks plain HTTP only, since encryption would be measured too",
            place.url
        )
    })?;
    place.transport.refuse_plain(&place.url)?;
    Ok(Address {
        host: host.trim_end_matches('/').to_owned(),
        api_key: match place.credential {
            Credential::ApiKey(key) => key,
            Credential::Token(_) | Credential::None => {
                bail!("set MCPANEL_API_KEY to a key of `{}`", place.url)
            }
        },
    })
}
