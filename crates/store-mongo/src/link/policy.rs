//! What a server's settings mean for us, for a warning at start.

use super::{Address, CONNECT_MS_MAX, address::place};

/// Something that an operator should change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Which node.
    pub node: String,
    /// What is the matter and what to do, as one sentence.
    pub text: String,
}

/// Asks each named node for its settings; empty when all is well. A node that is away or does not
/// tell (managed services forbid `CONFIG`) is asked through `INFO`, and passed over if that fails too.
pub async fn advice(address: &Address) -> Vec<Advice> {
    let mut advice = Vec::new();
    for node in address.nodes() {
        let place = place(node);
        let limit = std::time::Duration::from_millis(CONNECT_MS_MAX);
        let Ok(Some(policy)) = tokio::time::timeout(limit, eviction_policy(node)).await else {
            tracing::debug!(node = place, "redis does not tell its eviction policy");
            continue;
        };
        if policy != "noeviction" {
            advice.push(Advice {
                node: place.to_owned(),
                text: format!(
                    "redis at {place} has `maxmemory-policy {policy}` and may drop parts of the queue; \
                     run `redis-cli config set maxmemory-policy noeviction` and put it in redis.conf"
                ),
            });
        }
    }
    advice
}

async fn eviction_policy(node: &str) -> Option<String> {
    let client = redis::Client::open(node).ok()?;
    let mut connection = client.get_multiplexed_async_connection().await.ok()?;
    let info: String = redis::cmd("INFO")
        .arg("memory")
        .query_async(&mut connection)
        .await
        .ok()?;
    info.lines()
        .find_map(|line| line.strip_prefix("maxmemory_policy:"))
        .map(|policy| policy.trim().to_owned())
}
