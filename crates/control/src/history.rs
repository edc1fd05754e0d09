//! How things stand and stood: queues, samples of each minute, errors of the last hour.
//!
//! Samples are taken by [`Control::tick`](crate::Control::tick) once a minute is over, by whichever instance is
//! first, from figures that stores keep at hand; taking one reads no task.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, TaskId, Timestamp, agent,
    limits::SAMPLES_KEPT_MS,
    sample::{Activity, ErrorGroup, MINUTE_MS, Sample, merge_errors, minute_of},
    task::fingerprint,
};
use mcpanel_store::{Commit, Write, query::Queue};

use crate::{Result, Scope, core::Core};

/// Agents whose leases are counted for a sample, to tell the busy from the active; a larger flock is told apart by
/// its heartbeats alone.
const AGENTS_LOOKED_MAX: usize = 1_000;

/// How long after a failure a sample is tried again, in milliseconds: several times within its minute.
const SAMPLE_RETRY_MS: u64 = 10_000;

/// Groups of errors that are shown: what fits on a screen.
pub const ERROR_GROUPS_SHOWN: usize = 50;

/// Longest history that is answered, in steps: more points than a chart has pixels help nobody.
pub const POINTS_MAX: u64 = 2_000;

/// How things stand and stood.
#[derive(Clone)]
pub struct HistoryManager {
    core: Arc<Core>,
}

/// Why tasks failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Those that failed for it.
    pub group: ErrorGroup,
    /// What the newest of them says, word for word, while it stands there.
    pub newest: Option<String>,
}

/// One or several minutes of history.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When it begins.
    pub at: Timestamp,
    /// How many minutes were sampled in it; fewer than it is long when the server was away.
    pub minutes: u64,
    /// Tasks by status at its end, in the order of [`Status::ALL`](mcpanel_domain::task::Status::ALL).
    pub tasks: [u64; 7],
    /// Tasks that could have been given out at its end.
    pub ready: u64,
    /// Agents by status at its end, in the order of [`Status::ALL`](mcpanel_domain::agent::Status::ALL).
    pub agents: [u64; 5],
    /// How long the oldest waiting task had waited, at the worst, in milliseconds.
    pub oldest_waiting_ms: Option<u64>,
    /// What happened in it.
    pub activity: Activity,
}

impl HistoryManager {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Tasks that have not ended, by type.
    pub async fn queues(&self, scope: &Scope) -> Result<Vec<Queue>> {
        Ok(self.core.store.queues(&scope.namespace).await?)
    }

    /// The last `back_ms` milliseconds in steps of `step_ms`, each a whole number of minutes, oldest first. Steps
    /// in which the server was away are missing.
    pub async fn points(&self, scope: &Scope, back_ms: u64, step_ms: u64) -> Result<Vec<Point>> {
        let from = self.core.now().minus_ms(back_ms.min(SAMPLES_KEPT_MS));
        self.between(scope, from, Timestamp::MAX, step_ms).await
    }

    /// The same from `from` on and before `to`: the newest [`POINTS_MAX`] steps of it, when it has more.
    pub async fn between(
        &self,
        scope: &Scope,
        from: Timestamp,
        to: Timestamp,
        step_ms: u64,
    ) -> Result<Vec<Point>> {
        let step = step_of(step_ms);
        let end = to.min(self.core.now());
        let span_ms = end.ms_since(from).min(step * POINTS_MAX);
        // Whole steps, so that a page that is drawn again a minute later shows the same ones.
        let from = floor(end.minus_ms(span_ms), step);
        let samples = self.core.store.samples(&scope.namespace, from, to).await?;
        let mut points: Vec<Point> = Vec::new();
        for sample in samples {
            let at = floor(sample.minute, step);
            match points.last_mut() {
                Some(point) if point.at == at => point.add(&sample),
                _ => points.push(Point::of(at, &sample)),
            }
        }
        Ok(points)
    }

    /// Why tasks failed in the last `back_ms` milliseconds: the most frequent reasons first.
    pub async fn errors(&self, scope: &Scope, back_ms: u64) -> Result<Vec<Reason>> {
        let groups = self.error_groups(scope, back_ms).await?;
        let newest: Vec<TaskId> = groups.iter().map(|group| group.last_task.clone()).collect();
        let tasks = self.core.store.tasks(&scope.namespace, &newest).await?;
        let reasons = groups.into_iter().zip(tasks).map(|(group, task)| {
            // A task that was retried may have failed for another reason since.
            let error = task.and_then(|task| task.error.clone());
            let newest = error.filter(|error| fingerprint(&error.message) == group.message);
            Reason {
                newest: newest.map(|error| error.message),
                group,
            }
        });
        Ok(reasons.collect())
    }

    async fn error_groups(&self, scope: &Scope, back_ms: u64) -> Result<Vec<ErrorGroup>> {
        let now = self.core.now();
        let from = minute_of(now.minus_ms(back_ms.min(SAMPLES_KEPT_MS)));
        let samples = self
            .core
            .store
            .samples(&scope.namespace, from, Timestamp::MAX)
            .await?;
        let mut recent = Vec::new();
        let mut minute = minute_of(now);
        // What no sample tells of yet: this minute, and the one before for a moment.
        for _ in 0..2 {
            if samples.last().is_none_or(|last| last.minute < minute) && minute >= from {
                let activity = self.core.store.activity(&scope.namespace, minute).await?;
                recent.extend(activity.errors);
            }
            minute = before(minute);
        }
        let sampled = samples.iter().flat_map(|sample| &sample.activity.errors);
        Ok(merge_errors(sampled.chain(&recent), ERROR_GROUPS_SHOWN))
    }

    /// What happened in the present minute so far.
    pub async fn present(&self, scope: &Scope) -> Result<Activity> {
        let minute = minute_of(self.core.now());
        Ok(self.core.store.activity(&scope.namespace, minute).await?)
    }
}

impl Point {
    fn of(at: Timestamp, sample: &Sample) -> Self {
        let mut point = Self {
            at,
            minutes: 0,
            tasks: [0; 7],
            ready: 0,
            agents: [0; 5],
            oldest_waiting_ms: None,
            activity: Activity::default(),
        };
        point.add(sample);
        point
    }

    fn add(&mut self, sample: &Sample) {
        self.minutes += 1;
        self.tasks = sample.tasks;
        self.ready = sample.ready;
        self.agents = sample.agents;
        self.oldest_waiting_ms = self.oldest_waiting_ms.max(sample.oldest_waiting_ms);
        self.activity.absorb(&sample.activity);
    }
}

/// What an instance knows of samples.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    /// The minute that was sampled last.
    done: Timestamp,
    /// After a failure: not again before then, so that a store that takes no changes is not asked all the time.
    not_before: Timestamp,
}

/// Samples the minute that is over, of each namespace, if that was not done; forgets samples that are too old. Tells
/// whether that went well: history is to look at, and nothing waits for it.
pub(crate) async fn sample(core: &Core) -> bool {
    let now = core.now();
    let minute = before(minute_of(now));
    {
        let sampling = core.sampling.lock();
        let pause = sampling.not_before.ms_since(now);
        if sampling.done == minute || (1..=SAMPLE_RETRY_MS).contains(&pause) {
            return true;
        }
    }
    let outcome = sample_all(core, minute).await;
    let mut sampling = core.sampling.lock();
    match outcome {
        Ok(()) => {
            sampling.done = minute;
            true
        }
        Err(error) => {
            tracing::warn!(%error, "cannot sample the minute now; trying again soon");
            sampling.not_before = now.plus_ms(SAMPLE_RETRY_MS);
            false
        }
    }
}

async fn sample_all(core: &Core, minute: Timestamp) -> Result<()> {
    for namespace in core.store.namespaces().await? {
        let sample = take(core, namespace, minute).await?;
        match core
            .commit(Commit::of(Write::Sample(Arc::new(sample))))
            .await
        {
            // Another instance was faster.
            Err(error) if error.conflict().is_some() => {}
            outcome => outcome?,
        }
    }
    // Once an hour is often enough to forget what is a week old.
    if minute.as_ms() % (60 * MINUTE_MS) == 0 {
        let oldest = minute.minus_ms(SAMPLES_KEPT_MS);
        core.store.purge_samples(oldest).await?;
    }
    Ok(())
}

async fn take(core: &Core, namespace: Namespace, minute: Timestamp) -> Result<Sample> {
    let totals = core.store.totals(&namespace).await?;
    let queues = core.store.queues(&namespace).await?;
    let oldest = queues.iter().filter_map(|queue| queue.oldest).min();
    Ok(Sample {
        minute,
        tasks: totals.tasks,
        ready: totals.ready,
        agents: agents(core, &namespace).await?,
        oldest_waiting_ms: oldest.map(|oldest| core.now().ms_since(oldest)),
        activity: core.store.activity(&namespace, minute).await?,
        namespace,
    })
}

/// How many agents have each status.
async fn agents(core: &Core, namespace: &Namespace) -> Result<[u64; 5]> {
    let agents = core.store.agents(namespace).await?;
    let look = agents.len() <= AGENTS_LOOKED_MAX;
    let mut counts = [0; 5];
    for agent in agents {
        let held = if look {
            let (leases, _) = core.leases(namespace, &agent.id).await?;
            let mine = leases
                .iter()
                .filter(|held| held.session == agent.session.id);
            u32::try_from(mine.count()).unwrap_or(u32::MAX)
        } else {
            0
        };
        let status = agent.status(held);
        for (each, count) in agent::Status::ALL.iter().zip(&mut counts) {
            *count += u64::from(*each == status);
        }
    }
    Ok(counts)
}

/// A step as a whole number of minutes.
fn step_of(step_ms: u64) -> u64 {
    let minute = MINUTE_MS.unsigned_abs();
    step_ms.clamp(minute, SAMPLES_KEPT_MS) / minute * minute
}

/// The step that a moment lies in, as its beginning.
fn floor(at: Timestamp, step: u64) -> Timestamp {
    let step = i64::try_from(step).unwrap_or(MINUTE_MS);
    Timestamp::from_ms(at.as_ms() - at.as_ms().rem_euclid(step))
}

fn before(minute: Timestamp) -> Timestamp {
    minute.minus_ms(MINUTE_MS.unsigned_abs())
}
