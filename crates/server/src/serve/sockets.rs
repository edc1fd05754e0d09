//! Sockets alone: an instance that shows events and needs nothing but Redis and the secret that signs tokens.

use std::{net::SocketAddr, time::Duration};

use mcpanel_guard::Secret;
use mcpanel_store_mongo::{
    link::{self, Address},
    stream::EventStream,
};
use tokio::task::JoinHandle;

use super::{StartError, Stopped, ended, listen, settings};
use crate::{realtime, stop::Stop};

/// How long the stream may take to be read for the first time, in milliseconds. When it takes longer, Redis is away: the
/// instance serves all the same, and tells what happens from when it is back.
const STREAM_MS_MAX: u64 = 5_000;

/// How such an instance is started.
#[derive(Debug, Clone)]
pub struct Alone {
    /// Where sockets are served. Port 0 takes a free one.
    pub address: SocketAddr,
    /// Origins whose pages may connect beside those of its own address.
    pub origins: Vec<String>,
    /// Redis, which carries the events.
    pub redis_url: Secret,
    /// What signs the tokens of all instances.
    pub jwt: Option<Secret>,
}

/// An instance that runs until it is stopped.
pub struct Showing {
    address: SocketAddr,
    stop: Stop,
    sockets: JoinHandle<usize>,
}

impl Alone {
    /// Starts it. When this returns, it answers.
    pub async fn start(self) -> Result<Showing, StartError> {
        let jwt = settings::shared_secret(self.jwt.as_ref())?;
        link::admission(&Address::parse(self.redis_url.reveal())?).await?;
        let (listener, address) = listen(self.address)?;
        let events = EventStream::connect(self.redis_url.reveal(), "")?;
        let mut newest = events.watch();
        let read = newest.wait_for(|newest| *newest > 0);
        // An installation in which nothing happened yet has nothing to read.
        let _ = tokio::time::timeout(Duration::from_millis(STREAM_MS_MAX), async {
            while !events.is_live() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), read).await;
        })
        .await;
        if !events.is_live() {
            tracing::warn!(
                waited_ms = STREAM_MS_MAX,
                "events cannot be read from Redis yet: it is away"
            );
        }
        let stop = Stop::new();
        let sockets = realtime::over_events(events, jwt, realtime::settings(self.origins));
        tracing::info!(%address, "serving sockets alone");
        Ok(Showing {
            address,
            sockets: tokio::spawn(sockets.serve(listener, stop.subscribe())),
            stop,
        })
    }
}

impl Showing {
    /// Where sockets are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says farewell to all sockets and stops.
    pub async fn stop(self) -> Stopped {
        self.stop.begin();
        let cut_off = ended(self.sockets.await, "the realtime listener").unwrap_or(0);
        Stopped { cut_off }
    }
}
