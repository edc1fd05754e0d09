//! The servers and instances of one run. They end with it.

use std::{
    ffi::OsString,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use mcpanel_client::{Client, Config, Credential};
use mcpanel_test_servers::{Launch, Process, Redis, ReplicaSet, free_port, run_folder};

/// Instances of a run: with one away, two still race each other.
pub const INSTANCES: usize = 3;
/// How long an instance may take to be ready, also while others use the machine.
const READY_MAX: Duration = Duration::from_secs(60);
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
    pub redis: Redis,
    /// The instances.
    pub instances: Vec<Instance>,
}

/// One instance.
pub struct Instance {
    /// Its process.
    pub process: Process,
    url: String,
    port: u16,
}

/// How a run's servers are set up.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Nodes of the replica set.
    pub mongo_nodes: usize,
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
        let redis = Redis::start()?;
        let mut instances = Vec::with_capacity(INSTANCES);
        for number in 0..INSTANCES {
            let skewed = plan.skewed && number == INSTANCES - 1;
            instances.push(Instance::start(binary, number, &mongo, &redis, skewed)?);
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
        self.instances.iter().map(Instance::client).collect()
    }
}

impl Instance {
    fn start(
        binary: &Path,
        number: usize,
        mongo: &ReplicaSet,
        redis: &Redis,
        skewed: bool,
    ) -> Result<Self> {
        let folder = run_folder(&format!("instance-{number}"))?;
        let port = free_port()?;
        let realtime = free_port()?;
        let ip = Ipv4Addr::LOCALHOST;
        let command: Vec<OsString> = vec![
            binary.into(),
            "serve".into(),
            "--data".into(),
            folder.join("data").into(),
            "--http".into(),
            format!("{ip}:{port}").into(),
            "--realtime".into(),
            format!("{ip}:{realtime}").into(),
            "--drain-seconds".into(),
            "5".into(),
        ];
        let mut environment = vec![
            ("MONGODB_URI".to_owned(), mongo.uri()),
            ("REDIS_URL".to_owned(), redis.url()),
            ("JWT_SECRET".to_owned(), JWT_SECRET.to_owned()),
            ("MCPANEL_ADMIN_KEY".to_owned(), ADMIN_KEY.to_owned()),
        ];
        if skewed {
            let library = faketime().context("there is no libfaketime")?;
            environment.extend([
                ("LD_PRELOAD".to_owned(), library.display().to_string()),
                ("FAKETIME".to_owned(), "+60s".to_owned()),
                ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
            ]);
        }
        let process = Process::start(Launch {
            name: format!("instance {number}"),
            command,
            environment,
            log: folder.join("log"),
            folder: Some(folder),
        })?;
        Ok(Self {
            process,
            url: format!("http://{ip}:{port}"),
            port,
        })
    }

    /// Waits until it takes changes.
    pub fn ready(&self) -> Result<()> {
        let asked = self.process.ready(READY_MAX, || {
            match status(self.port).map_err(|error| error.to_string())? {
                200 => Ok(()),
                other => Err(format!("it answers {other}")),
            }
        });
        Ok(asked?)
    }

    fn client(&self) -> Result<Client> {
        let credential = Credential::ApiKey(ADMIN_KEY.to_owned());
        Ok(Client::new(Config {
            connect_timeout: Duration::from_secs(1),
            answer_timeout: ANSWER_MAX,
            // Whoever calls goes to the next instance instead.
            patience: Duration::ZERO,
            ..Config::new(&self.url, credential)
        })?)
    }
}

/// The status of `/health/ready`.
fn status(port: u16) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.ok_or_else(|| std::io::Error::other("that is no HTTP"))
}
