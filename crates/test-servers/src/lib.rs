//! Real servers for tests, without containers: `mongod` as a replica set of one or three nodes, `redis-server` alone or
//! as a cluster of three masters.
//!
//! Everything listens on free ports of the loopback address, keeps its data in a folder of its own below the target
//! directory, and is small. A server lives as long as whoever started it: a [`Process`] ends with its value, and also
//! when the whole program is killed, because a shell beside each server waits for the end of a pipe that only we hold.
//!
//! Tests do not start servers themselves. `cargo xtask servers -- COMMAND` starts them and names them in the
//! environment ([`Servers::environment`]); a test that finds no name there says that it was skipped. Fault runs are the
//! exception: they kill, pause and start servers anew, so they use [`ReplicaSet`], [`Redis`] and [`Process`] directly.
//!
//! [`Instance`] is a server of ours over them, for whoever wants several at once.

mod error;
mod instance;
mod mongo;
mod place;
mod process;
mod redis;
mod servers;

pub use error::Error;
pub use instance::{Instance, InstancePlan};
pub use mongo::{ReplicaSet, mongod};
pub use place::{free_port, run_folder};
pub use process::{Launch, Process};
pub use redis::{Redis, RedisCluster, SharedRedis, redis_server};
pub use servers::{
    MONGODB_URI, MONGODB3_URI, REDIS_CLUSTER_URL, REDIS_URL, REQUIRE_SERVERS, Servers, Wanted,
    given,
};
