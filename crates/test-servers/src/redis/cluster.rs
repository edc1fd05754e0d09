//! Three masters that share the 16,384 slots.

use std::{net::Ipv4Addr, time::Duration};

use super::Redis;
use crate::{Error, Process, place};

/// Slots of any Redis Cluster.
const SLOTS: usize = 16_384;
/// The fewest masters that a cluster works with.
const MASTERS: usize = 3;
/// How long the masters may take to agree. Two seconds are usual.
const AGREE_MAX: Duration = Duration::from_secs(60);
/// How long a silent node is waited for before it counts as lost, in ms. The default of 15 s makes tests slow.
const NODE_TIMEOUT_MS: &str = "3000";

/// A Redis Cluster of three masters. They end when it is dropped.
#[derive(Debug)]
pub struct RedisCluster {
    masters: Vec<Redis>,
}

impl RedisCluster {
    /// Starts three masters, gives each a third of the slots, and waits until all agree that the cluster is well.
    pub fn start() -> Result<Self, Error> {
        let mut masters = Vec::with_capacity(MASTERS);
        let mut bus_ports = Vec::with_capacity(MASTERS);
        for _ in 0..MASTERS {
            // The default, the port and 10,000, could be taken.
            let bus_port = place::free_port()?.to_string();
            masters.push(Redis::start_with(
                "redis-cluster",
                &[
                    "--cluster-enabled",
                    "yes",
                    "--cluster-port",
                    &bus_port,
                    "--cluster-node-timeout",
                    NODE_TIMEOUT_MS,
                ],
            )?);
            bus_ports.push(bus_port);
        }
        let cluster = Self { masters };
        cluster.share_slots()?;
        cluster.introduce(&bus_ports)?;
        cluster.agrees()?;
        Ok(cluster)
    }

    /// The address: every master, one of which is enough to find the others.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .masters
            .iter()
            .map(|master| format!("{}:{}", Ipv4Addr::LOCALHOST, master.port))
            .collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// How many masters it has.
    pub fn masters(&self) -> usize {
        self.masters.len()
    }

    /// The process of a master, to kill, pause, or start it anew.
    pub fn master(&mut self, index: usize) -> &mut Process {
        self.masters[index].process()
    }

    /// Runs a command at every master.
    pub fn command_everywhere(&self, words: &[&str]) -> Result<(), Error> {
        self.masters
            .iter()
            .try_for_each(|master| master.command(words).map(drop))
    }

    /// Runs a command about a key at the master that has its slot.
    pub fn command(&self, words: &[&str]) -> Result<String, Error> {
        let mut refused = None;
        for master in &self.masters {
            match master.command(words) {
                Ok(answer) => return Ok(answer),
                // Another one has it; the address that this one names need not be understood to find it among three.
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.expect("three masters"))
    }

    /// Waits until all masters are there and agree, after one of them was started anew.
    pub fn agrees(&self) -> Result<(), Error> {
        self.masters.iter().try_for_each(agrees)
    }

    fn share_slots(&self) -> Result<(), Error> {
        for (index, master) in self.masters.iter().enumerate() {
            let first = (index * SLOTS / MASTERS).to_string();
            let last = ((index + 1) * SLOTS / MASTERS - 1).to_string();
            master.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
            // Different from the start, so that no two masters need to settle who is older.
            let epoch = (index + 1).to_string();
            master.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])?;
        }
        Ok(())
    }

    fn introduce(&self, bus_ports: &[String]) -> Result<(), Error> {
        let (first, others) = self.masters.split_first().expect("three masters");
        let ip = Ipv4Addr::LOCALHOST.to_string();
        for (master, bus_port) in others.iter().zip(&bus_ports[1..]) {
            let port = master.port.to_string();
            first.command(&["CLUSTER", "MEET", &ip, &port, bus_port])?;
        }
        Ok(())
    }
}

fn agrees(master: &Redis) -> Result<(), Error> {
    master.process.ready(AGREE_MAX, || {
        let info = master
            .command(&["CLUSTER", "INFO"])
            .map_err(|error| error.to_string())?;
        let says = |wanted: &str| info.lines().any(|line| line.trim() == wanted);
        match says("cluster_state:ok") && says(&format!("cluster_known_nodes:{MASTERS}")) {
            true => Ok(()),
            false => Err("the masters do not agree yet".to_owned()),
        }
    })
}
