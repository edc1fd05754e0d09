//! A server in a process of its own, over a temporary folder.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;
use mcpanel_guard::secrets::{ADMIN_KEY_VARIABLE, JWT_SECRET_VARIABLE};
use tempfile::TempDir;

use crate::commands::bench::wire::{Address, Wire};

/// How often the server is asked whether it is there, and how many times.
const ASKED: (Duration, u32) = (Duration::from_millis(50), 200);

/// The server. Stopped when it is dropped.
pub struct Process {
    pub http: Address,
    pub realtime: String,
    pub key: String,
    child: Child,
    _data: TempDir,
}

impl Process {
    pub async fn start() -> anyhow::Result<Self> {
        let data = tempfile::Builder::new()
            .prefix("mcpanel-bench-")
            .tempdir()
            .context("cannot make a folder for the server")?;
        let key = format!("bench-{:032x}", rand::random::<u128>());
        let (http, realtime) = (free()?, free()?);
        let child = Command::new(std::env::current_exe()?)
            .args(["serve", "--http", &http, "--realtime", &realtime, "--data"])
            .arg(data.path())
            .env(ADMIN_KEY_VARIABLE, &key)
            // What is measured is this server alone, and never somebody's own data.
            .env_remove("MONGODB_URI")
            .env_remove("REDIS_URL")
            .env_remove(JWT_SECRET_VARIABLE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start a server")?;
        let server = Self {
            http: Address {
                host: http,
                api_key: key.clone(),
            },
            realtime,
            key,
            child,
            _data: data,
        };
        server.answers().await?;
        Ok(server)
    }

    async fn answers(&self) -> anyhow::Result<()> {
        let (pause, times) = ASKED;
        for _ in 0..times {
            if Wire::open(&self.http).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        anyhow::bail!("the server did not start")
    }

    /// Its memory, where the system tells.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1_024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to keep of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free address of this machine.
fn free() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
    Ok(listener.local_addr()?.to_string())
}
