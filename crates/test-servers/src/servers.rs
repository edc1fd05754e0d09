//! A choice of servers, and the names under which tests find them.

use crate::{Error, Redis, RedisCluster, ReplicaSet};

/// Names a replica set of one node.
pub const MONGODB_URI: &str = "MCPANEL_TEST_MONGODB_URI";
/// Names a replica set of three nodes.
pub const MONGODB3_URI: &str = "MCPANEL_TEST_MONGODB3_URI";
/// Names a single Redis.
pub const REDIS_URL: &str = "MCPANEL_TEST_REDIS_URL";
/// Names a Redis Cluster of three masters.
pub const REDIS_CLUSTER_URL: &str = "MCPANEL_TEST_REDIS_CLUSTER_URL";
/// Set to `1`, a test without its server fails instead of being skipped.
pub const REQUIRE_SERVERS: &str = "MCPANEL_TEST_REQUIRE_SERVERS";

/// Which servers to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// `mongod` as a replica set of one node.
    pub mongo: bool,
    /// `mongod` as a replica set of three nodes.
    pub mongo3: bool,
    /// One `redis-server`.
    pub redis: bool,
    /// Three masters of a Redis Cluster.
    pub cluster: bool,
}

impl Wanted {
    /// Every kind.
    pub const ALL: Self = Self {
        mongo: true,
        mongo3: true,
        redis: true,
        cluster: true,
    };
    /// None.
    pub const NONE: Self = Self {
        mongo: false,
        mongo3: false,
        redis: false,
        cluster: false,
    };
}

/// Servers that run until this is dropped.
#[derive(Debug, Default)]
pub struct Servers {
    mongo: Option<ReplicaSet>,
    mongo3: Option<ReplicaSet>,
    redis: Option<Redis>,
    cluster: Option<RedisCluster>,
}

impl Servers {
    /// Starts what is wanted. When this returns, all of it is ready; when it fails, nothing runs.
    pub fn start(wanted: Wanted) -> Result<Self, Error> {
        let start_set = |wanted: bool, nodes| wanted.then(|| ReplicaSet::start(nodes)).transpose();
        Ok(Self {
            mongo: start_set(wanted.mongo, 1)?,
            mongo3: start_set(wanted.mongo3, 3)?,
            redis: wanted.redis.then(Redis::start).transpose()?,
            cluster: wanted.cluster.then(RedisCluster::start).transpose()?,
        })
    }

    /// The names and addresses to put into the environment of tests.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let found = [
            (MONGODB_URI, self.mongo.as_ref().map(ReplicaSet::uri)),
            (MONGODB3_URI, self.mongo3.as_ref().map(ReplicaSet::uri)),
            (REDIS_URL, self.redis.as_ref().map(Redis::url)),
            (
                REDIS_CLUSTER_URL,
                self.cluster.as_ref().map(RedisCluster::url),
            ),
        ];
        found
            .into_iter()
            .filter_map(|(name, address)| Some((name, address?)))
            .collect()
    }
}

/// The address that the environment gives under this name. Where it gives none the test says that it was skipped, or
/// fails where servers are required.
///
/// # Panics
///
/// When servers are required and this one is not given.
pub fn given(name: &str) -> Option<String> {
    if let Ok(address) = std::env::var(name) {
        return Some(address);
    }
    let required = std::env::var(REQUIRE_SERVERS).is_ok_and(|value| value == "1");
    assert!(!required, "`{REQUIRE_SERVERS}` is set, and `{name}` is not");
    eprintln!("skipped: `{name}` names no server; `cargo xtask servers` starts one");
    None
}
