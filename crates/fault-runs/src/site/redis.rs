//! The Redis of a run: one server, or a cluster of three masters.

use anyhow::Result;
use mcpanel_test_servers::{Process, Redis, RedisCluster};

/// What the instances share beside MongoDB.
pub enum SharedRedis {
    /// One server.
    One(Redis),
    /// Three masters.
    Cluster(RedisCluster),
}

impl SharedRedis {
    /// Starts it.
    pub fn start(cluster: bool) -> Result<Self> {
        Ok(match cluster {
            true => Self::Cluster(RedisCluster::start()?),
            false => Self::One(Redis::start()?),
        })
    }

    /// Its address.
    pub fn url(&self) -> String {
        match self {
            Self::One(redis) => redis.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// How many servers it consists of.
    pub fn servers(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Cluster(cluster) => cluster.masters(),
        }
    }

    /// The process of one of them.
    pub fn process(&mut self, index: usize) -> &mut Process {
        match self {
            Self::One(redis) => redis.process(),
            Self::Cluster(cluster) => cluster.master(index),
        }
    }

    /// Runs a command about a key.
    pub fn command(&self, words: &[&str]) -> Result<String> {
        Ok(match self {
            Self::One(redis) => redis.command(words)?,
            Self::Cluster(cluster) => cluster.command(words)?,
        })
    }

    /// Has all of it forgotten.
    pub fn flush(&self) -> Result<()> {
        match self {
            Self::One(redis) => redis.command(&["FLUSHALL"]).map(drop)?,
            Self::Cluster(cluster) => cluster.command_everywhere(&["FLUSHALL"])?,
        }
        Ok(())
    }

    /// Kills all of it.
    pub fn kill(&mut self) -> Result<()> {
        for index in 0..self.servers() {
            self.process(index).kill()?;
        }
        Ok(())
    }

    /// Starts all of it anew, empty, and waits until it answers.
    pub fn start_again(&mut self) -> Result<()> {
        for index in 0..self.servers() {
            self.process(index).start_again()?;
        }
        self.answers()
    }

    /// Waits until it answers, after a part of it was started anew.
    pub fn answers(&self) -> Result<()> {
        match self {
            Self::One(redis) => redis.answers()?,
            Self::Cluster(cluster) => cluster.agrees()?,
        }
        Ok(())
    }
}
