//! What instances share beside MongoDB: one server, or a cluster of three masters, as one asks for it.

use super::{Redis, RedisCluster};
use crate::{Error, Process};

/// The Redis of several instances.
#[derive(Debug)]
pub enum SharedRedis {
    /// One server.
    One(Redis),
    /// Three masters.
    Cluster(RedisCluster),
}

impl SharedRedis {
    /// Starts it.
    pub fn start(cluster: bool) -> Result<Self, Error> {
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
    pub fn command(&self, words: &[&str]) -> Result<String, Error> {
        match self {
            Self::One(redis) => redis.command(words),
            Self::Cluster(cluster) => cluster.command(words),
        }
    }

    /// Has all of it forgotten.
    pub fn flush(&self) -> Result<(), Error> {
        match self {
            Self::One(redis) => redis.command(&["FLUSHALL"]).map(drop),
            Self::Cluster(cluster) => cluster.command_everywhere(&["FLUSHALL"]),
        }
    }

    /// Kills all of it.
    pub fn kill(&mut self) -> Result<(), Error> {
        for index in 0..self.servers() {
            self.process(index).kill()?;
        }
        Ok(())
    }

    /// Starts all of it anew, empty, and waits until it answers.
    pub fn start_again(&mut self) -> Result<(), Error> {
        for index in 0..self.servers() {
            self.process(index).start_again()?;
        }
        self.answers()
    }

    /// Waits until it answers, after a part of it was started anew.
    pub fn answers(&self) -> Result<(), Error> {
        match self {
            Self::One(redis) => redis.answers(),
            Self::Cluster(cluster) => cluster.agrees(),
        }
    }
}
