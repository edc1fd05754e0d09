//! Whether Redis lets us in, asked before an instance serves: one that goes on without Redis because of a mistyped
//! password would do so until somebody wonders why it is slow.

use std::time::Duration;

use redis::{ErrorKind, RedisError, RedisResult};

use super::{Address, CONNECT_MS_MAX, address::place};

/// A server that answers, but not to us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Redis at `{node}` refuses the credentials of `REDIS_URL` ({reason}); write them as `redis://user:password@host:port`, \
     or `redis://:password@host:port` where there is a password alone"
)]
pub struct Refused {
    /// Which node.
    pub node: String,
    /// What it says.
    pub reason: String,
}

/// Asks each named node to let us in. One that is away is no reason not to begin, and is passed over.
pub async fn admission(address: &Address) -> Result<(), Refused> {
    for node in address.nodes() {
        let limit = Duration::from_millis(CONNECT_MS_MAX);
        let Ok(Err(error)) = tokio::time::timeout(limit, knock(node)).await else {
            continue;
        };
        if is_refusal(&error) {
            return Err(Refused {
                node: place(node).to_owned(),
                reason: error.to_string(),
            });
        }
    }
    Ok(())
}

async fn knock(node: &str) -> RedisResult<()> {
    let client = redis::Client::open(node)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    redis::cmd("PING").query_async(&mut connection).await
}

/// Whether a server said that it does not know us, or that we may not do what we do. The codes are those of Redis:
/// <https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/>.
fn is_refusal(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
}
