//! What is done once a group of commits is durable: it is remembered, followers are told, callers are answered.

use std::{sync::atomic::Ordering, time::Duration};

use mcpanel_store::Receipt;
use tokio::sync::oneshot;

use super::{Committer, queue::Job, statements::Done};
use crate::{project::Change, read::BLOCK_EVENTS_MAX};

/// How long a caller waits for the number of its last event before it is told the last known one. Numbering takes
/// some milliseconds; a machine so busy that it takes seconds still tells the truth.
const NUMBER_PATIENCE: Duration = Duration::from_secs(5);

/// How long followers may take over one group's changes.
const FOLLOW_PATIENCE: Duration = Duration::from_millis(500);

impl Committer {
    /// Remembers, tells followers, and answers when the events have their numbers.
    pub(super) async fn finish(&self, jobs: Vec<Job>, done: Done) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let count = u64::try_from(jobs.len()).unwrap_or(u64::MAX);
        self.commits.fetch_add(count, Ordering::Relaxed);
        for task in &done.tasks {
            self.heads.put_task(task);
        }
        for change in &done.changes {
            match change {
                Change::Agent {
                    new: Some(agent), ..
                } => self.heads.put_agent(agent),
                Change::Agent { namespace, id, .. } => {
                    self.heads.forget_agent(&(namespace.clone(), id.clone()));
                }
                Change::Pipeline { new } => self.heads.put_pipeline(new),
                Change::Task { .. } => {}
            }
        }
        let numbers: Vec<oneshot::Receiver<u64>> = done
            .blocks
            .into_iter()
            .map(|(id, events)| self.sequencer.expect(id, events))
            .collect();
        let told = self.followers.apply(&done.changes);
        if tokio::time::timeout(FOLLOW_PATIENCE, told).await.is_err() {
            tracing::warn!("followers took too long over a commit's changes");
        }
        if numbers.is_empty() {
            let last_seq = self.sequencer.last();
            for job in jobs {
                job.answer(Ok(Receipt { last_seq }));
            }
            return;
        }
        let sequencer = self.sequencer.clone();
        tokio::spawn(async move {
            let all = futures::future::join_all(numbers);
            let firsts = tokio::time::timeout(NUMBER_PATIENCE, all)
                .await
                .unwrap_or_default();
            let mut before = 0;
            let mut last_seq = sequencer.last();
            for job in jobs {
                let count = job.commit.events.len();
                if count > 0 {
                    let at = before + count - 1;
                    let first = firsts
                        .get(at / BLOCK_EVENTS_MAX)
                        .and_then(|first| first.as_ref().ok());
                    let within = u64::try_from(at % BLOCK_EVENTS_MAX).unwrap_or(u64::MAX);
                    last_seq = first.map_or_else(|| sequencer.last(), |first| first + within);
                }
                before += count;
                job.answer(Ok(Receipt { last_seq }));
            }
        });
    }
}
