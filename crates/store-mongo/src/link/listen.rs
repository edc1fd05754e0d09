//! Hearing what is published on a channel.

use std::time::Duration;

use futures::StreamExt;

use super::{Address, CONNECT_MS_MAX};

/// How long to wait after a connection broke or could not be made, in milliseconds.
const AGAIN_MS: u64 = 500;

/// How often a silent connection is tried, in milliseconds: a peer that vanished sends nothing either.
const SILENCE_MS: u64 = 5_000;

/// Calls `heard` with each message until it answers `false`. Any node of a cluster will do, for it passes on what
/// the others are told; when one is away, the next is asked. Messages in between are lost.
pub(crate) async fn listen(
    address: &Address,
    channel: &str,
    mut heard: impl FnMut(&str) -> bool + Send,
) {
    for node in address.nodes().iter().cycle() {
        match hear(node, channel, &mut heard).await {
            Ok(Goes::Away) => return,
            Ok(Goes::Silent) => {}
            Err(error) => {
                tracing::debug!(error = %error, channel, "cannot hear other instances now");
                if !heard("") {
                    return;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
    }
}

enum Goes {
    Away,
    Silent,
}

async fn hear(
    node: &str,
    channel: &str,
    heard: &mut (impl FnMut(&str) -> bool + Send),
) -> redis::RedisResult<Goes> {
    let client = redis::Client::open(node)?;
    let limit = Duration::from_millis(CONNECT_MS_MAX);
    let subscribe = async {
        let mut pubsub = client.get_async_pubsub().await?;
        pubsub.subscribe(channel).await?;
        redis::RedisResult::Ok(pubsub)
    };
    let Ok(pubsub) = tokio::time::timeout(limit, subscribe).await else {
        return Ok(Goes::Silent);
    };
    let (mut sink, mut messages) = pubsub?.split();
    loop {
        match tokio::time::timeout(Duration::from_millis(SILENCE_MS), messages.next()).await {
            Ok(Some(message)) => {
                let text = String::from_utf8_lossy(message.get_payload_bytes());
                if !heard(&text) {
                    return Ok(Goes::Away);
                }
            }
            Ok(None) => return Ok(Goes::Silent),
            Err(_) => {
                if !heard("") {
                    return Ok(Goes::Away);
                }
                let ping = sink.ping::<redis::Value>();
                if tokio::time::timeout(limit, ping).await.is_err() {
                    return Ok(Goes::Silent);
                }
            }
        }
    }
}
