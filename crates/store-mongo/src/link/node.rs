//! Scripts that keep to one slot.

use redis::FromRedisValue;

use super::Link;
use crate::Away;

/// A Lua script whose keys all carry the tag of its first one, so that it runs on one node of a cluster.
pub(crate) struct Script(redis::Script);

impl Script {
    /// A script of these parts, one after another.
    pub(crate) fn of(parts: &[&str]) -> Self {
        Self(redis::Script::new(&parts.concat()))
    }

    /// Runs it. The server keeps it by its hash; one that does not know it yet is sent the text.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        link: &Link,
        key: &str,
        arguments: &[String],
    ) -> Result<T, Away> {
        link.call_at(key, |mut connection| async move {
            let mut invocation = self.0.prepare_invoke();
            invocation.key(key);
            for argument in arguments {
                invocation.arg(argument);
            }
            invocation.invoke_async(&mut connection).await
        })
        .await
    }
}
