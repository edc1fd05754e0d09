//! The background work of a queue: hearing other instances, waking claims, sending returns.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mcpanel_domain::Namespace;
use tokio::task::JoinHandle;

use super::{
    Queue,
    waiters::{News, read_news},
};
use crate::{Away, link};

/// How long news is collected before anybody is woken, in milliseconds: a commit's worth of tasks is one call then.
const GATHER_MS: u64 = 2;

/// How often everybody who waits is looked at though nothing was heard, in milliseconds: the net below the messages,
/// which Redis may lose.
const NET_MS: u64 = 1_000;

pub(super) fn workers(queue: &Arc<Queue>) -> Vec<JoinHandle<()>> {
    let channel = queue.keys.wakes();
    let address = queue.link.address().clone();
    let listener = Arc::downgrade(queue);
    vec![
        tokio::spawn(wake(Arc::downgrade(queue))),
        tokio::spawn(send_returns(Arc::downgrade(queue))),
        tokio::spawn(async move {
            link::listen(&address, &channel, move |message| {
                let Some(queue) = listener.upgrade() else {
                    return false;
                };
                if let Some((namespace, news)) = read_news(message) {
                    queue.waiters.hear(namespace, news);
                }
                true
            })
            .await;
        }),
    ]
}

async fn wake(queue: Weak<Queue>) {
    let mut last_net = tokio::time::Instant::now();
    loop {
        let net = Duration::from_millis(NET_MS);
        {
            let Some(queue) = queue.upgrade() else { return };
            let heard = queue.waiters.heard.notified();
            if tokio::time::timeout(net.saturating_sub(last_net.elapsed()), heard)
                .await
                .is_ok()
            {
                tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
            }
            for (namespace, news) in queue.waiters.take_news() {
                queue.tell(&namespace, &news).await;
            }
        }
        if last_net.elapsed() >= net {
            last_net = tokio::time::Instant::now();
            let Some(queue) = queue.upgrade() else { return };
            for namespace in queue.waiters.namespaces() {
                queue.look_around(&namespace).await;
            }
        }
    }
}

async fn send_returns(queue: Weak<Queue>) {
    loop {
        let Some(queue) = queue.upgrade() else { return };
        let asked = queue.returns.asked.notified();
        // Not for ever, so that a queue nobody uses any more can go.
        let _ = tokio::time::timeout(Duration::from_millis(NET_MS), asked).await;
        queue.send_returns().await;
    }
}

impl Queue {
    /// Wakes those whom news concerns.
    async fn tell(&self, namespace: &Namespace, news: &News) {
        self.waiters.wake_agents(namespace, &news.agents);
        if news.lanes.is_empty() {
            return;
        }
        let candidates = self.waiters.candidates(namespace, Some(&news.lanes));
        // When the queue is away, the net wakes everybody.
        if !candidates.is_empty()
            && let Ok((rooms, lanes)) = self.rooms(namespace, &candidates).await
        {
            self.waiters.wake(&candidates, &rooms, lanes);
        }
    }

    /// Wakes those for whom there is work though nobody said so.
    async fn look_around(&self, namespace: &Namespace) {
        let candidates = self.waiters.candidates(namespace, None);
        match self.rooms(namespace, &candidates).await {
            Ok((rooms, lanes)) => {
                self.waiters.wake(&candidates, &rooms, lanes);
                self.waiters.rotate(namespace);
            }
            Err(Away) => self.waiters.wake_all(namespace),
        }
    }

    async fn rooms(
        &self,
        namespace: &Namespace,
        candidates: &[mcpanel_store::Offer],
    ) -> Result<(Vec<i64>, Vec<(u64, String)>), Away> {
        let mut arguments = Vec::with_capacity(candidates.len() * 3);
        for offer in candidates {
            arguments.push(offer.agent_id.to_string());
            arguments.push(offer.session.to_string());
            arguments.push(offer.concurrency.to_string());
        }
        let key = self.keys.queue(namespace);
        let (rooms, lanes): (Vec<i64>, Vec<String>) =
            self.scripts.rooms.run(&self.link, &key, &arguments).await?;
        let lanes = lanes.iter().filter_map(|line| {
            let (count, lane) = line.split_once(' ')?;
            Some((count.parse().ok()?, lane.to_owned()))
        });
        Ok((rooms, lanes.collect()))
    }
}
