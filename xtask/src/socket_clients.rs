//! The official Socket.IO clients, in JavaScript and Python, against the real binary.
//!
//! They are fetched in the versions that `crates/realtime/tests/clients` pins, into `target/tools`. Where there is no
//! Node or Python, or no registry to fetch from, they are skipped, and that is said;
//! `MCPANEL_TEST_REQUIRE_CLIENTS=1` makes it a failure.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{find, root, run};
use crate::tools::{fetch_once, folder, is_required, node_scripts};

/// Makes what would be skipped a failure.
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_CLIENTS";

/// Who calls in these tests.
const KEY: &str = "an administrator's key for the official clients";

/// How long a server may take to start, on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// What became of one client.
pub enum Outcome {
    /// It ran, and everything it asked for was right.
    Ran(String),
    /// It did not, for this reason.
    Skipped(&'static str, String),
}

/// Runs both against `binary`.
pub fn test(binary: &Path) -> Result<Vec<Outcome>> {
    let clients = [
        ("socket.io-client (JavaScript)", javascript as Prepare),
        ("python-socketio", python as Prepare),
    ];
    let mut outcomes = Vec::new();
    for (name, prepare) in clients {
        match prepare() {
            Ok(mut client) => {
                let server = Server::start(binary)?;
                run(server.tell(&mut client))?;
                outcomes.push(Outcome::Ran(format!("{name} against the real binary")));
            }
            Err(why) if is_required(REQUIRED) => {
                bail!("{name} is required and cannot run: {why:#}")
            }
            Err(why) => outcomes.push(Outcome::Skipped(name, format!("{why:#}"))),
        }
    }
    Ok(outcomes)
}

type Prepare = fn() -> Result<Command>;

fn javascript() -> Result<Command> {
    let scripts = node_scripts(&scripts(), "socket-clients")?;
    let mut client = Command::new(scripts.node);
    client.arg("javascript.mjs").current_dir(scripts.folder);
    Ok(client)
}

fn python() -> Result<Command> {
    let python = find("python3").context("there is no `python3` on the PATH")?;
    let home = folder("socket-clients-python")?;
    let interpreter = home.join("bin/python");
    let pins = scripts().join("requirements.txt");
    fetch_once(&pins, &home, || {
        run(Command::new(python).args(["-m", "venv"]).arg(&home))
            .context("cannot make a virtual environment")?;
        let mut install = Command::new(&interpreter);
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "-r"])
            .arg(&pins);
        run(&mut install).context("cannot fetch python-socketio")
    })?;
    let mut client = Command::new(interpreter);
    client.arg("-B").arg(scripts().join("python.py"));
    Ok(client)
}

fn scripts() -> PathBuf {
    root().join("crates/realtime/tests/clients")
}

/// A server over a temporary folder, stopped when it is dropped.
struct Server {
    child: Child,
    http: SocketAddr,
    realtime: SocketAddr,
    data: PathBuf,
}

impl Server {
    fn start(binary: &Path) -> Result<Self> {
        let (http, realtime) = (free()?, free()?);
        let data = root().join(format!("target/tools/socket-clients-data-{}", http.port()));
        let child = Command::new(binary)
            .args([
                "serve",
                "--http",
                &http.to_string(),
                "--realtime",
                &realtime.to_string(),
                "--data",
            ])
            .arg(&data)
            .env("MCPANEL_ADMIN_KEY", KEY)
            .env_remove("MONGODB_URI")
            .env_remove("REDIS_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start `{}`", binary.display()))?;
        let server = Self {
            child,
            http,
            realtime,
            data,
        };
        let begun = Instant::now();
        while [http, realtime]
            .iter()
            .any(|address| TcpStream::connect(address).is_err())
        {
            if begun.elapsed() > STARTS_WITHIN {
                bail!("the server for the official clients does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Tells a client where it is.
    fn tell<'c>(&self, client: &'c mut Command) -> &'c mut Command {
        client
            .env("MCPANEL_TEST_HTTP", format!("http://{}", self.http))
            .env("MCPANEL_TEST_REALTIME", format!("http://{}", self.realtime))
            .env("MCPANEL_TEST_KEY", KEY)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, and its folder with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn free() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
    Ok(listener.local_addr()?)
}
