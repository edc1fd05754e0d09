//! A look at MongoDB and Redis before a store is opened over them. Nothing is changed by it.

use std::time::{Duration, SystemTime};

use mongodb::{
    Client,
    bson::{Document, doc},
    options::{ClientOptions, ReadPreference, SelectionCriteria},
};

use crate::link::{self, Address};

/// How long a look at one server may take.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// The oldest MongoDB that this store was tried with.
const MONGODB_MIN: (u64, u64) = (6, 0);

/// The oldest Redis that has the commands which are used.
const REDIS_MIN: (u64, u64) = (6, 2);

/// How far MongoDB's clock and this machine's may be apart before it is worth a word: the store corrects for it, and
/// whoever compares logs does not.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(1);

/// Members of a replica set of which any one may be lost.
const MEMBERS_WANTED: usize = 3;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Doubtful,
    /// A server would not start, or not work.
    Wrong,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How it is.
    pub weight: Weight,
    /// The same in words, without credentials.
    pub text: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Remark {
    fn good(text: impl Into<String>) -> Self {
        Self {
            weight: Weight::Good,
            text: text.into(),
            remedy: None,
        }
    }

    fn doubtful(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            weight: Weight::Doubtful,
            text: text.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn wrong(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            weight: Weight::Wrong,
            ..Self::doubtful(text, remedy)
        }
    }
}

/// Looks at the MongoDB of a connection string: a primary that can be reached, a replica set, its version and clock.
pub async fn mongodb(uri: &str) -> Vec<Remark> {
    let looked = tokio::time::timeout(LOOK_MAX * 2, look_at_mongodb(uri)).await;
    looked.unwrap_or_else(|_| {
        vec![Remark::wrong(
            "MongoDB does not answer in time",
            "see whether it runs, and whether it can be reached from here",
        )]
    })
}

async fn look_at_mongodb(uri: &str) -> Vec<Remark> {
    let mut options = match ClientOptions::parse(uri).await {
        Ok(options) => options,
        Err(error) => {
            return vec![Remark::wrong(
                format!("`MONGODB_URI` is not a MongoDB connection string: {error}"),
                "write it like `mongodb://user:password@a:27017,b:27017/mcpanel?replicaSet=rs0`",
            )];
        }
    };
    options.server_selection_timeout = Some(LOOK_MAX);
    options.connect_timeout = Some(LOOK_MAX);
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    let database = options.default_database.clone();
    let client = match Client::with_options(options) {
        Ok(client) => client,
        Err(error) => return vec![Remark::wrong(error.to_string(), "mend MONGODB_URI")],
    };
    let database = client.database(database.as_deref().unwrap_or("admin"));
    let hello = match database.run_command(doc! { "hello": 1 }).await {
        Ok(hello) => hello,
        Err(error) => {
            return vec![Remark::wrong(
                format!("no primary of MongoDB can be used: {error}"),
                "see whether it runs and has elected a primary (`rs.status()`), and whether user and password are right",
            )];
        }
    };
    let mut remarks = vec![topology(&hello)];
    if let Ok(build) = database.run_command(doc! { "buildInfo": 1 }).await {
        let found = build.get_str("version").unwrap_or_default();
        remarks.push(version("MongoDB", found, MONGODB_MIN));
    }
    remarks.extend(clock(&hello));
    remarks
}

/// Whether it has transactions, and survives the loss of a member.
fn topology(hello: &Document) -> Remark {
    if hello.get_str("msg").ok() == Some("isdbgrid") {
        return Remark::good("MongoDB is a sharded cluster");
    }
    let Ok(name) = hello.get_str("setName") else {
        return Remark::wrong(
            "this mongod is not a member of a replica set, so it has no transactions",
            "start it with `--replSet rs0` and call `rs.initiate()`; one node is enough",
        );
    };
    let members = hello.get_array("hosts").map_or(0, Vec::len);
    if members < MEMBERS_WANTED {
        return Remark::doubtful(
            format!("replica set `{name}` has {members} of {MEMBERS_WANTED} members"),
            "add members, so that the loss of one loses nothing and stops nothing",
        );
    }
    Remark::good(format!("replica set `{name}` has {members} members"))
}

fn clock(hello: &Document) -> Option<Remark> {
    let theirs: SystemTime = hello.get_datetime("localTime").ok()?.to_system_time();
    let ours = SystemTime::now();
    let apart = theirs
        .duration_since(ours)
        .or_else(|_| ours.duration_since(theirs))
        .ok()?;
    let text = format!(
        "MongoDB's clock and this machine's are {} ms apart",
        apart.as_millis()
    );
    Some(match apart > CLOCKS_APART_MAX {
        true => Remark::doubtful(text, "set both by NTP"),
        false => Remark::good(text),
    })
}

/// Looks at each Redis of a URL: reached, not a replica, of the kind that the URL says, new enough, dropping nothing.
pub async fn redis(url: &str) -> Vec<Remark> {
    let address = match Address::parse(url) {
        Ok(address) => address,
        Err(error) => {
            return vec![Remark::wrong(
                format!("`REDIS_URL` {error}"),
                "write it like `redis://:password@host:6379`",
            )];
        }
    };
    let mut remarks = Vec::new();
    for node in address.nodes() {
        let place = place(node);
        match tokio::time::timeout(LOOK_MAX, info(node)).await {
            Ok(Ok(info)) => remarks.extend(redis_node(place, &info, address.is_cluster())),
            Ok(Err(error)) => remarks.push(Remark::wrong(
                format!("redis at {place} cannot be used: {error}"),
                "see whether it runs, and whether user and password are right",
            )),
            Err(_) => remarks.push(Remark::wrong(
                format!("redis at {place} does not answer in time"),
                "see whether it runs, and whether it can be reached from here",
            )),
        }
    }
    for advice in link::advice(&address).await {
        let (text, remedy) = advice
            .text
            .split_once("; ")
            .unwrap_or((&advice.text, "see docs/redis.md"));
        remarks.push(Remark::doubtful(text, remedy));
    }
    remarks
}

/// A node without its credentials.
fn place(node: &str) -> &str {
    let without_scheme = node.split_once("://").map_or(node, |(_, rest)| rest);
    without_scheme
        .rsplit_once('@')
        .map_or(without_scheme, |(_, place)| place)
}

async fn info(node: &str) -> redis::RedisResult<String> {
    let client = redis::Client::open(node)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    redis::cmd("INFO").query_async(&mut connection).await
}

/// What a node's `INFO` says.
fn redis_node(place: &str, info: &str, is_cluster: bool) -> Vec<Remark> {
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let mut remarks = vec![version(
        &format!("redis at {place}"),
        field("redis_version").unwrap_or_default(),
        REDIS_MIN,
    )];
    if field("role") == Some("slave") && !is_cluster {
        remarks.push(Remark::wrong(
            format!("redis at {place} is a replica, which takes no writes"),
            "name its master",
        ));
    }
    match (field("cluster_enabled") == Some("1"), is_cluster) {
        (true, false) => remarks.push(Remark::wrong(
            format!("redis at {place} is a node of a cluster, and `REDIS_URL` names one server"),
            "write it like `redis+cluster://a:6379,b:6379`",
        )),
        (false, true) => remarks.push(Remark::wrong(
            format!("redis at {place} is no node of a cluster, and `REDIS_URL` names one"),
            "write it like `redis://host:6379`",
        )),
        (true, true) | (false, false) => {}
    }
    remarks
}

fn version(what: &str, found: &str, least: (u64, u64)) -> Remark {
    let mut parts = found.split('.').map_while(|part| part.parse::<u64>().ok());
    match parts.next().zip(parts.next()) {
        Some(known) if known >= least => Remark::good(format!("{what} answers, version {found}")),
        Some(_) => Remark::doubtful(
            format!("{what} has version {found}"),
            format!("take {}.{} or newer", least.0, least.1),
        ),
        None => Remark::good(format!("{what} answers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_mongod_will_not_do() {
        let weight = |hello: Document| topology(&hello).weight;
        assert_eq!(weight(doc! {}), Weight::Wrong);
        assert_eq!(weight(doc! { "msg": "isdbgrid" }), Weight::Good);
        let set = |hosts: Vec<&str>| doc! { "setName": "rs0", "hosts": hosts };
        assert_eq!(weight(set(vec!["a"])), Weight::Doubtful);
        assert_eq!(weight(set(vec!["a", "b", "c"])), Weight::Good);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let weight = |found| version("x", found, (6, 2)).weight;
        assert_eq!(weight("6.10.1"), Weight::Good);
        assert_eq!(weight("7.0.15"), Weight::Good);
        assert_eq!(weight("6.0.16"), Weight::Doubtful);
        assert_eq!(
            weight("valkey"),
            Weight::Good,
            "what cannot be read is no reproach"
        );
    }

    #[test]
    fn a_replica_and_the_wrong_kind_are_told() {
        let weights = |info: &str, is_cluster| {
            redis_node("a:1", info, is_cluster)
                .iter()
                .map(|remark| remark.weight)
                .collect::<Vec<_>>()
        };
        use Weight::{Good, Wrong};
        let master = "redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\n";
        assert_eq!(weights(master, false), [Good]);
        assert_eq!(weights(master, true), [Good, Wrong]);
        let replica = "redis_version:7.0.15\r\nrole:slave\r\ncluster_enabled:0\r\n";
        assert_eq!(weights(replica, false), [Good, Wrong]);
        let node = "redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:1\r\n";
        assert_eq!(weights(node, false), [Good, Wrong]);
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_without_its_password() {
        for url in ["http://:hidden@a", "redis://:hidden@a:x"] {
            let remarks = redis(url).await;
            assert_eq!(remarks[0].weight, Weight::Wrong);
            assert!(!format!("{remarks:?}").contains("hidden"), "{remarks:?}");
        }
        let remarks = mongodb("http://user:hidden@a").await;
        assert_eq!(remarks[0].weight, Weight::Wrong);
        assert!(!format!("{remarks:?}").contains("hidden"), "{remarks:?}");
    }
}
