//! The servers and instances of one run. They end with it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use mcpanel_client::{Client, Config, Credential};
use mcpanel_test_servers::{Instance, InstancePlan, ReplicaSet, SharedRedis};

/// Instances of a run: with one away, two still race each other.
pub const INSTANCES: usize = 3;
/// Signs the tokens of all instances of a run, which nobody else reaches.
const JWT_SECRET: &str = "fault-runs sign with this and nobody else does";
/// The administrator's key of all instances.
const ADMIN_KEY: &str = "mcp_fault_runs_administrator_key_0123456789";
/// How long a caller waits for an answer: longer than any call takes while all is well, shorter than any fault.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Everything that runs.
pub struct Site {
    /// MongoDB.
    pub mongo: ReplicaSet,
    /// Redis.
    pub redis: SharedRedis,
    /// The instances.
    pub instances: Vec<Instance>,
}

/// How a run's servers are set up.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Nodes of the replica set.
    pub mongo_nodes: usize,
    /// Whether Redis is a cluster of three masters.
    pub cluster: bool,
    /// Whether the last instance's clock is a minute ahead.
    pub skewed: bool,
}

/// The library that gives a process another time.
pub fn faketime() -> Option<PathBuf> {
    [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib64/faketime/libfaketime.so.1",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|path| path.is_file())
}

impl Site {
    /// Starts everything, and waits until all instances are ready.
    pub fn start(binary: &Path, plan: Plan) -> Result<Self> {
        let mongo = ReplicaSet::start(plan.mongo_nodes)?;
        let redis = SharedRedis::start(plan.cluster)?;
        let mut instances = Vec::with_capacity(INSTANCES);
        for number in 0..INSTANCES {
            let mut instance = InstancePlan::new(format!("instance {number}"), binary)
                .with("MONGODB_URI", mongo.uri())
                .with("REDIS_URL", redis.url())
                .with("JWT_SECRET", JWT_SECRET)
                .with("MCPANEL_ADMIN_KEY", ADMIN_KEY);
            instance.arguments = vec!["--drain-seconds".into(), "5".into()];
            if plan.skewed && number == INSTANCES - 1 {
                let library = faketime().context("there is no libfaketime")?;
                instance = instance
                    .with("LD_PRELOAD", library.display().to_string())
                    .with("FAKETIME", "+60s")
                    .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            }
            instances.push(instance.start()?);
        }
        for instance in &instances {
            instance.ready()?;
        }
        Ok(Self {
            mongo,
            redis,
            instances,
        })
    }

    /// A client of each instance, as the administrator.
    pub fn clients(&self) -> Result<Vec<Client>> {
        self.instances.iter().map(client).collect()
    }
}

fn client(instance: &Instance) -> Result<Client> {
    let credential = Credential::ApiKey(ADMIN_KEY.to_owned());
    Ok(Client::new(Config {
        connect_timeout: Duration::from_secs(1),
        answer_timeout: ANSWER_MAX,
        // Whoever calls goes to the next instance instead.
        patience: Duration::ZERO,
        ..Config::new(instance.url(), credential)
    })?)
}
