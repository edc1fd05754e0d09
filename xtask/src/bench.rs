//! `cargo xtask bench`: lifecycles and latencies over real servers and one or two instances, beside the embedded store.
//!
//! Everything is started here and ends here: `mongod` as a set of one node, `redis-server` or a cluster of three masters,
//! the instances. The generator tells what each of them used. What one does by hand is
//! `mcpanel bench tasks --server URL --process NAME=PID`.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use mcpanel_test_servers::{Instance, InstancePlan, ReplicaSet, SharedRedis};

use crate::command::{binary_of, cargo, root, run as run_command};

/// Signs the tokens of all instances of a run, which nobody else reaches.
const JWT_SECRET: &str = "xtask bench signs with this and nobody else does";
/// The administrator's key of all instances.
const ADMIN_KEY: &str = "mcp_xtask_bench_administrator_key_0123456789";

/// What to measure.
struct Asked {
    release: bool,
    /// Whether Redis is a cluster of three masters.
    cluster: bool,
    /// How many instances, one measurement each; zero is the embedded store.
    instances: Vec<usize>,
    tasks: u32,
    rate: u32,
    seconds: u32,
}

/// Builds the binary and measures what the arguments ask for.
pub fn run(arguments: &[&str]) -> Result<()> {
    let asked = Asked::read(arguments)?;
    let profile: &[&str] = match asked.release {
        true => &["--release"],
        false => &[],
    };
    let build = ["build", "--locked", "-p", "mcpanel-cli", "--bin", "mcpanel"];
    run_command(&mut cargo(&[&build, profile].concat()))?;
    let binary = binary_of(
        match asked.release {
            true => "release",
            false => "debug",
        },
        "mcpanel",
    );
    for count in &asked.instances {
        match count {
            0 => asked.measure(&binary, &[])?,
            count => over_servers(&asked, &binary, *count)?,
        }
    }
    Ok(())
}

fn over_servers(asked: &Asked, binary: &Path, count: usize) -> Result<()> {
    // New ones each time: what one measurement leaves behind is not the next one's to carry.
    let mut mongo = ReplicaSet::start(1)?;
    let mut redis = SharedRedis::start(asked.cluster)?;
    let mut instances = Vec::with_capacity(count);
    for number in 0..count {
        let plan = InstancePlan::new(format!("instance-{number}"), binary)
            .with("MONGODB_URI", mongo.uri())
            .with("REDIS_URL", redis.url())
            .with("JWT_SECRET", JWT_SECRET)
            .with("MCPANEL_ADMIN_KEY", ADMIN_KEY)
            .with("MCPANEL_LOG", "warn");
        instances.push(plan.start()?);
    }
    instances.iter().try_for_each(Instance::ready)?;
    let mut options = Vec::new();
    for (number, instance) in instances.iter().enumerate() {
        options.extend(["--server".to_owned(), instance.url()]);
        let pid = instance.process.pid();
        options.extend(watched(&format!("instance-{number}"), pid));
    }
    for index in 0..redis.servers() {
        let name = match redis {
            SharedRedis::One(_) => "redis-server".to_owned(),
            SharedRedis::Cluster(_) => format!("redis-{index}"),
        };
        options.extend(watched(&name, redis.process(index).pid()));
    }
    options.extend(watched("mongod", mongo.node(0).pid()));
    asked.measure(binary, &options)
}

fn watched(name: &str, pid: Option<u32>) -> Vec<String> {
    let pid = pid.map(|pid| format!("{name}={pid}"));
    pid.into_iter()
        .flat_map(|watched| ["--process".to_owned(), watched])
        .collect()
}

impl Asked {
    fn read(arguments: &[&str]) -> Result<Self> {
        let mut asked = Self {
            release: true,
            cluster: false,
            instances: Vec::new(),
            tasks: 60_000,
            rate: 1_500,
            seconds: 20,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut number = || -> Result<u32> {
                let value = rest.next().context("a number is missing")?;
                value
                    .parse()
                    .with_context(|| format!("`{value}` is no number"))
            };
            match *argument {
                "--debug" => asked.release = false,
                "--cluster" => asked.cluster = true,
                "--instances" => asked.instances.push(usize::try_from(number()?)?),
                "--tasks" => asked.tasks = number()?,
                "--rate" => asked.rate = number()?,
                "--seconds" => asked.seconds = number()?,
                other => bail!(
                    "unknown option `{other}`; there are `--debug`, `--cluster`, `--instances N`, `--tasks N`, `--rate N` and `--seconds N`"
                ),
            }
        }
        if asked.instances.is_empty() {
            asked.instances = vec![0, 1, 2];
        }
        Ok(asked)
    }

    /// Lifecycles as fast as they go, then latencies at a fixed rate.
    fn measure(&self, binary: &Path, options: &[String]) -> Result<()> {
        let measurements = [
            vec![
                "tasks".to_owned(),
                "--tasks".to_owned(),
                self.tasks.to_string(),
            ],
            vec![
                "latency".to_owned(),
                "--rate".to_owned(),
                self.rate.to_string(),
                "--seconds".to_owned(),
                self.seconds.to_string(),
            ],
        ];
        for measurement in measurements {
            run_command(
                Command::new(binary)
                    .arg("bench")
                    .args(measurement)
                    .args(options)
                    .current_dir(root())
                    .env("MCPANEL_API_KEY", ADMIN_KEY),
            )?;
        }
        Ok(())
    }
}
