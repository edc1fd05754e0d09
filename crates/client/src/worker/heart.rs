//! The heart: one sign of life after the other, on a thread of its own.

use std::{sync::Arc, thread, time::Duration};

use mcpanel_api::agent::{Heartbeat, HeartbeatAnswer};
use tokio::sync::watch;

use super::{
    held::{Held, Shared, Standing},
    session,
};
use crate::{Client, Error, Result, backoff::Backoff};

/// Longest wait for the answer to a heartbeat: two of them fit into the time after which an agent is suspect.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// A running heart.
pub(super) struct Heart {
    stop: watch::Sender<bool>,
    thread: thread::JoinHandle<()>,
}

impl Heart {
    /// Ends it, and waits until it is still.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the heartbeat thread ended badly");
        }
    }
}

/// Starts the thread.
pub(super) fn start(shared: Arc<Shared>) -> Result<Heart> {
    let failed = |error: std::io::Error| {
        Error::Config(format!("cannot start the heartbeat thread: {error}"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    // Its own connection, and no repetition below: this loop is the repetition.
    let client = shared
        .session
        .client
        .with_own_connections()?
        .with_patience(Duration::ZERO);
    let (stop, mut stopped) = watch::channel(false);
    let thread = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = beat_on(&client, &shared) => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
        })
        .map_err(failed)?;
    Ok(Heart { stop, thread })
}

async fn beat_on(client: &Client, shared: &Shared) {
    let mut interval = shared.session.interval;
    let mut backoff = Backoff::endless();
    loop {
        tokio::time::sleep(interval).await;
        interval = match beat(client, shared).await {
            Ok(answered) => {
                backoff.reset();
                Duration::from_millis(answered.heartbeat_interval_ms)
            }
            Err(error) => {
                if let Some(end) = session::ended_by(&error) {
                    shared.end(end);
                    return;
                }
                tracing::debug!(error = %error.chain(), "a heartbeat failed");
                backoff.pause(None).unwrap_or(shared.session.interval)
            }
        };
    }
}

async fn beat(client: &Client, shared: &Shared) -> Result<HeartbeatAnswer> {
    let named: Vec<Arc<Held>> = shared.all();
    let beat = Heartbeat {
        tasks: Some(named.iter().map(|held| held.task_id.clone()).collect()),
        ..Heartbeat::default()
    };
    let agent_id = &shared.session.agent_id;
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, client.heartbeat(agent_id, &beat))
        .await
        .unwrap_or_else(|_| {
            Err(Error::Timeout {
                url: client.base_url().to_owned(),
                waited: ANSWER_TIMEOUT,
            })
        })?;
    // Only what was named may be meant: a lease that was claimed meanwhile is another one.
    for held in &named {
        if answer.lost.contains(&held.task_id) {
            held.tell(Standing::Lost);
        } else if answer.cancel.contains(&held.task_id) {
            held.tell(Standing::CancelRequested);
        }
    }
    Ok(answer)
}
