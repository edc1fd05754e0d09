//! The official Socket.IO clients, in JavaScript and Python, against the real binary.
//!
//! They are fetched in the versions that `crates/realtime/tests/clients` pins, into `target/tools`. Where there is no
//! Node or Python, or no registry to fetch from, they are skipped, and that is said;
//! `MCPANEL_TEST_REQUIRE_CLIENTS=1` makes it a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use mcpanel_test_servers::{Instance, InstancePlan, MONGODB_URI, REDIS_URL};

use crate::command::{find, root, run};
use crate::servers::ForTests;
use crate::tools::{fetch_once, folder, is_required, node_scripts};

/// Makes what would be skipped a failure.
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_CLIENTS";

/// Who calls in these tests.
const KEY: &str = "an administrator's key for the official clients";

/// Signs the tokens of all instances.
const JWT_SECRET: &str = "instances of the official clients sign with this";

/// What became of one client.
pub enum Outcome {
    /// It ran, and everything it asked for was right.
    Ran(String),
    /// It did not, for this reason.
    Skipped(String, String),
}

/// Runs both against `binary`: over one server on the embedded store, then over instances that share these servers.
pub fn test(binary: &Path, servers: &ForTests) -> Result<Vec<Outcome>> {
    let clients = [
        ("socket.io-client (JavaScript)", javascript as Prepare),
        ("python-socketio", python as Prepare),
    ];
    let mut outcomes = Vec::new();
    for (name, prepare) in clients {
        let mut client = match prepare() {
            Ok(client) => client,
            Err(why) if is_required(REQUIRED) => {
                bail!("{name} is required and cannot run: {why:#}")
            }
            Err(why) => {
                outcomes.push(Outcome::Skipped(name.to_owned(), format!("{why:#}")));
                continue;
            }
        };
        let one = Panel::embedded(binary)?;
        run(one.tell(&mut client))?;
        drop(one);
        outcomes.push(Outcome::Ran(format!("{name} against the real binary")));
        let over_many = format!("{name} over three instances");
        match (servers.address(MONGODB_URI), servers.address(REDIS_URL)) {
            (Some(mongodb), Some(redis)) => {
                run(Panel::shared(binary, &mongodb, &redis)?.tell(&mut client))?;
                outcomes.push(Outcome::Ran(over_many));
            }
            _ => outcomes.push(Outcome::Skipped(
                over_many,
                "MongoDB or Redis is missing".to_owned(),
            )),
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

/// What the clients talk to. It ends when it is dropped.
struct Panel {
    /// Answers calls of the API.
    api: Instance,
    /// Has the sockets, when it is not the same.
    sockets: Option<Instance>,
    /// Has Redis and the secret of tokens, and nothing else.
    alone: Option<Instance>,
}

impl Panel {
    /// One server over a temporary folder.
    fn embedded(binary: &Path) -> Result<Self> {
        let api = plan(binary).start()?;
        api.ready()?;
        api.listens_for_sockets()?;
        Ok(Self {
            api,
            sockets: None,
            alone: None,
        })
    }

    /// Whoever calls the one instance has the sockets on the other, so that whatever is heard has travelled.
    fn shared(binary: &Path, mongodb: &str, redis: &str) -> Result<Self> {
        // A database of its own, and a part of Redis that no other test takes.
        let database = format!("/socket_clients_{}?", std::process::id());
        let mongodb = mongodb.replacen("/?", &database, 1);
        let redis = format!("{redis}/14");
        let shared = |plan: InstancePlan| {
            plan.with("REDIS_URL", &redis)
                .with("JWT_SECRET", JWT_SECRET)
        };
        let with_store = || shared(plan(binary)).with("MONGODB_URI", &mongodb).start();
        let (api, sockets) = (with_store()?, with_store()?);
        let mut alone = shared(plan(binary));
        alone.arguments = vec!["--role".into(), "realtime".into()];
        let alone = alone.start()?;
        api.ready()?;
        for instance in [&sockets, &alone] {
            instance.listens_for_sockets()?;
        }
        sockets.ready()?;
        Ok(Self {
            api,
            sockets: Some(sockets),
            alone: Some(alone),
        })
    }

    /// Tells a client where it is.
    fn tell<'c>(&self, client: &'c mut Command) -> &'c mut Command {
        let at = |instance: &Instance| format!("http://{}", instance.sockets());
        client
            .env("MCPANEL_TEST_HTTP", self.api.url())
            .env(
                "MCPANEL_TEST_REALTIME",
                at(self.sockets.as_ref().unwrap_or(&self.api)),
            )
            .env("MCPANEL_TEST_KEY", KEY);
        match &self.alone {
            Some(alone) => client.env("MCPANEL_TEST_ALONE", at(alone)),
            None => client.env_remove("MCPANEL_TEST_ALONE"),
        }
    }
}

fn plan(binary: &Path) -> InstancePlan {
    // What a shell may have for another server is not for these.
    InstancePlan::new("mcpanel", binary)
        .with("MONGODB_URI", "")
        .with("REDIS_URL", "")
        .with("MCPANEL_ADMIN_KEY", KEY)
}
