//! One lane: takes what waits, writes it as one transaction, answers, and begins again.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use mcpanel_store::{Error, Subject};
use mongodb::ClientSession;

use super::{
    Committer, Failed, Txn,
    counts::SHARDS,
    failure::is_passing,
    group::Group,
    large,
    present::Present,
    queue::{Held, Job},
    statements::Done,
};
use crate::{chance::below, sessions::BLOCKED};

/// How long a commit is tried before its callers are told that the store is away: longer than an
/// election of a new primary takes (10 to 12 s at MongoDB's defaults).
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest pause before another try, in milliseconds; it grows to this from one.
const PAUSE_MS_MAX: u64 = 200;
/// Writes until the committer is closed and nothing waits.
pub async fn run(committer: Arc<Committer>) {
    let mut lane = Lane {
        session: None,
        shard: below(SHARDS),
        committer: committer.clone(),
    };
    loop {
        let bell = committer.bell.notified();
        let (group, more, done) = {
            let mut waiting = committer.waiting.lock();
            let group = waiting.take();
            (group, waiting.has_some(), waiting.is_done())
        };
        match group {
            Some(group) => {
                if more {
                    committer.bell.notify_one();
                }
                let _release = Release {
                    committer: &committer,
                    held: group.held,
                };
                lane.write(group.jobs).await;
            }
            None if done => return,
            None => bell.await,
        }
    }
}

struct Lane {
    committer: Arc<Committer>,
    session: Option<ClientSession>,
    shard: u32,
}

/// Gives back what a group held, also when writing it ended badly.
struct Release<'a> {
    committer: &'a Committer,
    held: Held,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        let (more, done) = {
            let mut waiting = self.committer.waiting.lock();
            waiting.release(&self.held);
            (waiting.has_some(), waiting.is_done())
        };
        if done {
            // Lanes that found nothing to take while this one wrote have nothing to wait for.
            self.committer.bell.notify_waiters();
        } else if more {
            self.committer.bell.notify_one();
        }
    }
}

impl Lane {
    /// Writes commits together, or, if one of them spoils it for the others, one by one.
    async fn write(&mut self, jobs: Vec<Job>) {
        let alone = jobs.len() == 1;
        let Err((jobs, error)) = self.write_together(jobs).await else {
            return;
        };
        if alone {
            for job in jobs {
                job.answer(Err(error.clone()));
            }
            return;
        }
        for job in jobs {
            if let Err((jobs, error)) = self.write_together(vec![job]).await {
                for job in jobs {
                    job.answer(Err(error.clone()));
                }
            }
        }
    }

    /// Writes commits as one transaction, trying until they are written, refused, or time is up.
    /// Answers with those that a failure of its own kept from being written.
    async fn write_together(
        &mut self,
        mut jobs: Vec<Job>,
    ) -> std::result::Result<(), (Vec<Job>, Error)> {
        let began = Instant::now();
        let mut pause_ms = 1;
        let mut look = false;
        loop {
            let present = match self.committer.present(&mut jobs, look).await {
                Ok(present) => present,
                // Nothing was sent: the next try is as good as the first.
                Err(Error::Unavailable { .. }) if began.elapsed() < PATIENCE => {
                    self.pause(&mut pause_ms).await;
                    continue;
                }
                Err(error) => return self.give_up(jobs, error),
            };
            if jobs.is_empty() {
                return Ok(());
            }
            match self.transact(&jobs, &present).await {
                Ok(done) => {
                    self.committer.finish(jobs, done).await;
                    return Ok(());
                }
                Err(Failed::Raced(why)) if began.elapsed() < PATIENCE => {
                    tracing::trace!(why, "a transaction met another");
                    if began.elapsed() > BLOCKED {
                        self.committer.mongo.sessions().end_others().await;
                    }
                }
                Err(Failed::Transient(error) | Failed::Hard(error))
                    if began.elapsed() < PATIENCE && is_passing(&error) =>
                {
                    tracing::debug!(%error, "a transaction is tried again");
                    self.session = None;
                }
                Err(failed) => {
                    self.session = None;
                    return self.give_up(jobs, failed.into());
                }
            }
            self.committer.retries.fetch_add(1, Ordering::Relaxed);
            self.forget(&jobs);
            self.shard = below(SHARDS);
            look = true;
            self.pause(&mut pause_ms).await;
        }
    }

    /// A store that is away is away for all, and what may have been written is not tried again; anything else may be the
    /// fault of one commit.
    fn give_up(&self, jobs: Vec<Job>, error: Error) -> std::result::Result<(), (Vec<Job>, Error)> {
        self.forget(&jobs);
        if matches!(error, Error::Unavailable { .. } | Error::Unknown { .. }) {
            for job in jobs {
                job.answer(Err(error.clone()));
            }
            return Ok(());
        }
        Err((jobs, error))
    }

    async fn pause(&self, pause_ms: &mut u64) {
        let jitter = below(u32::try_from(*pause_ms).unwrap_or(u32::MAX));
        tokio::time::sleep(Duration::from_millis(*pause_ms / 2 + u64::from(jitter))).await;
        *pause_ms = (*pause_ms * 2).min(PAUSE_MS_MAX);
    }

    fn forget(&self, jobs: &[Job]) {
        let heads = &self.committer.heads;
        for target in jobs.iter().flat_map(|job| &job.targets) {
            match &target.subject {
                Subject::Task(key) | Subject::Logs(key) => heads.forget_task(key),
                Subject::Agent(key) => heads.forget_agent(key),
                Subject::Pipeline(key) => heads.forget_pipeline(key),
                _ => {}
            }
        }
    }

    async fn transact(
        &mut self,
        jobs: &[Job],
        present: &Present,
    ) -> std::result::Result<Done, Failed> {
        let committer = self.committer.clone();
        let mut group = Group::default();
        for job in jobs {
            for write in &job.commit.writes {
                group.add(write, present, job.commit.import);
            }
            group.events.extend(job.commit.events.iter().cloned());
        }
        large::store(&committer.mongo, std::mem::take(&mut group.large)).await?;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => committer.mongo.sessions().start().await?,
        };
        let mut txn = Txn::begin(committer.mongo.db(), &mut session).await?;
        let now = committer.mongo.now();
        match group.run(&mut txn, now, self.shard).await {
            Ok(done) => txn.commit().await.map(|()| {
                self.session = Some(session);
                done
            }),
            Err(failed) => {
                txn.abort().await;
                self.session = Some(session);
                Err(failed)
            }
        }
    }
}
