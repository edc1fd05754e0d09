//! `redis-server`: alone, keeping nothing on disk, and as a cluster.

mod cluster;
mod shared;
mod wire;

use std::{net::Ipv4Addr, path::PathBuf, time::Duration};

pub use cluster::RedisCluster;
pub use shared::SharedRedis;

use crate::{Error, Launch, Process, place};

/// Names the program to use.
const VARIABLE: &str = "MCPANEL_REDIS_SERVER";
/// How long a server may take to answer. A tenth of a second is usual.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// The `redis-server` to use: `MCPANEL_REDIS_SERVER`, or the one on the `PATH`.
pub fn redis_server() -> Result<PathBuf, Error> {
    let missing = |why: &str| Error::Missing {
        program: "redis-server",
        remedy: format!("{why}; `apt-get install redis-server` brings it on Debian and Ubuntu"),
    };
    match std::env::var_os(VARIABLE).map(PathBuf::from) {
        Some(path) if path.is_file() => Ok(path),
        Some(_) => Err(missing("`MCPANEL_REDIS_SERVER` names no file")),
        None => place::on_path("redis-server").ok_or_else(|| missing("it is not on the PATH")),
    }
}

/// One Redis. It ends when it is dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    /// Starts one that keeps nothing on disk and evicts nothing, and waits until it answers.
    pub fn start() -> Result<Self, Error> {
        Self::start_with("redis", &[])
    }

    fn start_with(name: &str, options: &[&str]) -> Result<Self, Error> {
        let program = redis_server()?;
        let port = place::free_port()?;
        let folder = place::run_folder(name)?;
        let ip = Ipv4Addr::LOCALHOST.to_string();
        let port_text = port.to_string();
        let folder_text = folder.display().to_string();
        let mut command = vec![program.into()];
        command.extend(
            [
                ["--bind", &ip],
                ["--port", &port_text],
                ["--dir", &folder_text],
                // What is in Redis can be rebuilt: one that comes back empty is the case to test.
                ["--save", ""],
                ["--appendonly", "no"],
                ["--maxmemory-policy", "noeviction"],
            ]
            .concat()
            .into_iter()
            .chain(options.iter().copied())
            .map(Into::into),
        );
        let process = Process::start(Launch {
            name: format!("{name} :{port}"),
            command,
            environment: Vec::new(),
            log: folder.join("redis.log"),
            folder: Some(folder),
        })?;
        let redis = Self { process, port };
        redis.answers()?;
        Ok(redis)
    }

    /// The address.
    pub fn url(&self) -> String {
        format!("redis://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Its process, to kill, pause, or start it anew.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Waits until it answers, after it was started anew.
    pub fn answers(&self) -> Result<(), Error> {
        self.process.ready(ANSWER_MAX, || {
            wire::command(self.port, &["PING"])
                .map(drop)
                .map_err(|error| error.to_string())
        })
    }

    /// Runs a command, and gives its answer as text, one line per element.
    pub fn command(&self, words: &[&str]) -> Result<String, Error> {
        wire::command(self.port, words).map_err(|error| Error::Refused {
            name: self.process.name().to_owned(),
            command: words.join(" "),
            why: error.to_string(),
        })
    }
}
