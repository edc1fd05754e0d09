//! `mongod` as a replica set: what transactions and majority write concern need, on one machine.

mod bson;
mod program;
mod wire;

use std::{fs, net::Ipv4Addr, time::Duration};

pub use program::mongod;

use crate::{Error, Launch, Process, place};
use bson::Value;

/// Closes files that nobody used for two seconds, in WiredTiger's words.
const IDLE_FILES: &str =
    "file_manager=(close_idle_time=2,close_scan_interval=1,close_handle_minimum=50)";

/// How long a node may take to answer. A second is usual; the rest is for a machine that builds at the same time.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How long a new set may take to elect its first primary and copy its first data. 12 s are usual for three nodes.
const ELECTION_MAX: Duration = Duration::from_secs(120);
/// Memory for WiredTiger's cache in each node, in GB: the smallest it takes.
const CACHE_GB: &str = "0.25";
/// Disk for each node's oplog, in MB. The default is a twentieth of the disk.
const OPLOG_MB: &str = "256";

/// A replica set. Its nodes end when it is dropped.
#[derive(Debug)]
pub struct ReplicaSet {
    name: String,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    process: Process,
    port: u16,
}

impl ReplicaSet {
    /// Starts a set with this many nodes, and waits until it takes writes and all its nodes have joined.
    pub fn start(nodes: usize) -> Result<Self, Error> {
        let program = mongod()?;
        let name = format!("mcpanel{nodes}");
        let nodes = (0..nodes)
            .map(|number| Node::start(&program, &name, number))
            .collect::<Result<Vec<_>, Error>>()?;
        let set = Self { name, nodes };
        for node in &set.nodes {
            node.answers()?;
        }
        set.initiate()?;
        for node in &set.nodes {
            node.joined()?;
        }
        set.primary(ELECTION_MAX)?;
        Ok(set)
    }

    /// The connection string.
    pub fn uri(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(Node::host).collect();
        format!("mongodb://{}/?replicaSet={}", hosts.join(","), self.name)
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The process of a node, to kill, pause, or start it anew.
    pub fn node(&mut self, index: usize) -> &mut Process {
        &mut self.nodes[index].process
    }

    /// The node that takes writes now, asked for at most that long.
    pub fn primary(&self, within: Duration) -> Result<usize, Error> {
        let first = &self.nodes.first().expect("a set has nodes").process;
        let until = std::time::Instant::now() + within;
        loop {
            let found = self
                .nodes
                .iter()
                .position(|node| node.hello("isWritablePrimary").unwrap_or(false));
            match found {
                Some(index) => return Ok(index),
                None if std::time::Instant::now() >= until => {
                    return Err(Error::NotReady {
                        name: self.name.clone(),
                        why: format!("no node is primary (after {} s)", within.as_secs()),
                        log: first.log_end(),
                    });
                }
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Waits until a node that was started anew is a member in working order.
    pub fn rejoined(&self, index: usize) -> Result<(), Error> {
        self.nodes[index].answers()?;
        self.nodes[index].joined()
    }

    fn initiate(&self) -> Result<(), Error> {
        let first = self.nodes.first().expect("a set has nodes");
        let members = self.nodes.iter().enumerate().map(|(number, node)| {
            Value::document([
                ("_id", Value::Int(i32::try_from(number).unwrap_or(0))),
                ("host", Value::from(node.host().as_str())),
            ])
        });
        let config = Value::document([
            ("_id", Value::from(self.name.as_str())),
            ("members", Value::Array(members.collect())),
        ]);
        wire::command(first.port, [("replSetInitiate", config)])
            .map(drop)
            .map_err(|why| Error::Refused {
                name: first.process.name().to_owned(),
                command: "replSetInitiate".to_owned(),
                why,
            })
    }
}

impl Node {
    fn start(program: &std::path::Path, set: &str, number: usize) -> Result<Self, Error> {
        let port = place::free_port()?;
        let folder = place::run_folder(&format!("{set}-{number}"))?;
        let data = folder.join("data");
        fs::create_dir(&data)
            .map_err(|source| Error::files("make the folder", data.clone(), source))?;
        let ip = Ipv4Addr::LOCALHOST.to_string();
        let port_text = port.to_string();
        let mut command = vec![program.into()];
        command.extend(
            [
                ["--replSet", set],
                ["--bind_ip", &ip],
                ["--port", &port_text],
                ["--wiredTigerCacheSizeGB", CACHE_GB],
                ["--oplogSize", OPLOG_MB],
                // Keeps megabytes of measurements that nobody will read.
                ["--setParameter", "diagnosticDataCollectionEnabled=false"],
                // Tests have clocks of their own, by which nothing has run out that ran out long ago by this machine's.
                ["--setParameter", "ttlMonitorEnabled=false"],
                // Hundreds of tests make and drop databases of a hundred files each: kept open, they reach the limit of
                // open files, at which `mongod` ends.
                ["--setParameter", "minSnapshotHistoryWindowInSeconds=0"],
                ["--wiredTigerEngineConfigString", IDLE_FILES],
            ]
            .concat()
            .into_iter()
            .map(Into::into),
        );
        command.extend(["--nounixsocket".into(), "--dbpath".into(), data.into()]);
        let process = Process::start(Launch {
            name: format!("mongod {set}/{number}"),
            command,
            environment: Vec::new(),
            log: folder.join("mongod.log"),
            folder: Some(folder),
        })?;
        Ok(Self { process, port })
    }

    fn host(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    fn answers(&self) -> Result<(), Error> {
        self.process.ready(ANSWER_MAX, || {
            wire::command(self.port, [("ping", Value::Int(1))]).map(drop)
        })
    }

    fn joined(&self) -> Result<(), Error> {
        self.process.ready(ELECTION_MAX, || {
            let is_member = self.hello("isWritablePrimary")? || self.hello("secondary")?;
            is_member
                .then_some(())
                .ok_or_else(|| "it is neither primary nor secondary".to_owned())
        })
    }

    fn hello(&self, field: &str) -> Result<bool, String> {
        let answer = wire::command(self.port, [("hello", Value::Int(1))])?;
        Ok(answer.field(field) == Some(&Value::Bool(true)))
    }
}
