//! One server or a cluster, behind one face.

use std::time::Duration;

use futures::future::try_join_all;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{RoutingInfo, SingleNodeRoutingInfo, Slot},
};
use rustc_hash::FxHashMap;

use super::Address;

/// Tries of one call within a cluster before it fails: one for a slot that moved, one for a new master.
const CLUSTER_RETRIES: u32 = 2;

/// A connection; clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    /// To one server.
    Single(MultiplexedConnection),
    /// To a cluster.
    Cluster(ClusterConnection),
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(
        address: &Address,
        connect: Duration,
        answer: Duration,
    ) -> RedisResult<Self> {
        if address.is_cluster() {
            let nodes = address.nodes().iter().map(String::as_str);
            let client = ClusterClient::builder(nodes)
                .connection_timeout(connect)
                .response_timeout(answer)
                .retries(CLUSTER_RETRIES)
                .build()?;
            return client.get_async_connection().await.map(Self::Cluster);
        }
        let client = Client::open(address.nodes()[0].as_str())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect))
            .set_response_timeout(Some(answer));
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map(Self::Single)
    }

    /// Sees whether it answers.
    pub(super) async fn ping(&mut self) -> RedisResult<()> {
        let ping = redis::cmd("PING");
        match self {
            Self::Single(connection) => ping.query_async::<Value>(connection).await?,
            // Any node: one that is away must not keep us from the others.
            Self::Cluster(connection) => {
                let anyone = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                connection.route_command(ping, anyone).await?
            }
        };
        Ok(())
    }

    /// Sends commands that each concern one key, all of a slot in one go; answers in their order.
    pub(crate) async fn send_all<T: FromRedisValue>(
        &mut self,
        commands: Vec<(String, Cmd)>,
    ) -> RedisResult<Vec<T>> {
        let values = match self {
            Self::Single(_) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for (_, command) in commands {
                    pipeline.add_command(command);
                }
                pipeline.query_async::<Vec<Value>>(self).await?
            }
            Self::Cluster(connection) => {
                let mut by_slot: FxHashMap<Slot, (Vec<usize>, Pipeline)> = FxHashMap::default();
                let count = commands.len();
                for (at, (key, command)) in commands.into_iter().enumerate() {
                    let (places, pipeline) = by_slot.entry(Slot::for_key(&key)).or_default();
                    places.push(at);
                    pipeline.add_command(command);
                }
                let calls = by_slot.into_values().map(|(places, pipeline)| {
                    let mut connection = connection.clone();
                    async move {
                        let values: Vec<Value> = pipeline.query_async(&mut connection).await?;
                        RedisResult::Ok((places, values))
                    }
                });
                let mut values = vec![Value::Nil; count];
                for (places, answers) in try_join_all(calls).await? {
                    for (at, answer) in places.into_iter().zip(answers) {
                        values[at] = answer;
                    }
                }
                values
            }
        };
        values
            .into_iter()
            .map(|value| redis::from_redis_value(value).map_err(Into::into))
            .collect()
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
