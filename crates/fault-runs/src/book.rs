//! What was acknowledged, and when: by this the run is judged afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use mcpanel_api::{PipelineId, TaskId};
use mcpanel_client::Error;

/// What was acknowledged; shared by all callers.
#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Pages>>);

/// What is in it.
#[derive(Default)]
pub struct Pages {
    /// Tasks that were created.
    pub created: BTreeSet<TaskId>,
    /// Tasks that were completed, with their results.
    pub completed: BTreeMap<TaskId, String>,
    /// Pipelines that were created.
    pub pipelines: BTreeSet<PipelineId>,
    /// Completions that came too late: the lease was somebody else's by then.
    pub late: u64,
    /// Sessions that ended before their agents did.
    pub lost_sessions: u64,
    /// Calls that had to be made again, by what went wrong.
    pub failures: BTreeMap<String, u64>,
    creations: Vec<Instant>,
    completions: Vec<Instant>,
    last_failure: Option<Instant>,
}

/// How a run went on after its fault.
#[derive(Debug, Clone, Copy)]
pub struct Recovery {
    /// The longest time without an acknowledged creation.
    pub creating: Duration,
    /// The longest time without an acknowledged completion.
    pub completing: Duration,
    /// From the fault to the last call that had to be made again.
    pub calls_failed_for: Duration,
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Looks into it.
    pub fn read<T>(&self, look: impl FnOnce(&Pages) -> T) -> T {
        look(&self.pages())
    }

    pub fn note_created(&self, ids: impl IntoIterator<Item = TaskId>) {
        let mut pages = self.pages();
        pages.created.extend(ids);
        pages.creations.push(Instant::now());
    }

    pub fn note_pipeline(&self, id: PipelineId) {
        self.pages().pipelines.insert(id);
    }

    /// Notes a completion; tells whether the task had been completed before.
    pub fn note_completed(&self, id: TaskId, result: String) -> bool {
        let mut pages = self.pages();
        pages.completions.push(Instant::now());
        pages.completed.insert(id, result).is_some()
    }

    pub fn note_late(&self) {
        self.pages().late += 1;
    }

    pub fn note_lost_session(&self) {
        self.pages().lost_sessions += 1;
    }

    pub fn note_failure(&self, error: &Error) {
        let words = match error {
            Error::Problem { problem, .. } => format!("{} {}", problem.status, problem.code),
            Error::Unreachable { .. } => "no connection".to_owned(),
            Error::Broken { .. } => "connection broke".to_owned(),
            Error::Timeout { .. } => "no answer in time".to_owned(),
            other => other.to_string(),
        };
        let mut pages = self.pages();
        *pages.failures.entry(words).or_default() += 1;
        pages.last_failure = Some(Instant::now());
    }

    /// How it went on after `fault`, up to `end`.
    pub fn recovery(&self, fault: Instant, end: Instant) -> Recovery {
        let pages = self.pages();
        let failed = pages.last_failure.filter(|last| *last > fault);
        Recovery {
            creating: longest_gap(&pages.creations, fault, end),
            completing: longest_gap(&pages.completions, fault, end),
            calls_failed_for: failed.map_or(Duration::ZERO, |last| last - fault),
        }
    }
}

/// The longest time between two moments of these, from the last one before `from` on.
fn longest_gap(moments: &[Instant], from: Instant, to: Instant) -> Duration {
    let mut sorted: Vec<Instant> = moments.iter().copied().filter(|at| *at < to).collect();
    sorted.sort_unstable();
    let first = sorted.partition_point(|at| *at <= from).saturating_sub(1);
    let mut gap = Duration::ZERO;
    let mut before = sorted.get(first).copied().unwrap_or(from);
    for at in sorted.iter().skip(first).copied().chain([to]) {
        gap = gap.max(at.saturating_duration_since(before));
        before = at;
    }
    gap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_from_the_last_moment_before() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let moments = [at(500), at(0), at(100), at(1_600), at(1_700)];
        let gap = |from, to| longest_gap(&moments, at(from), at(to)).as_millis();
        assert_eq!(gap(600, 1_800), 1_100);
        assert_eq!(gap(50, 1_000), 500);
        assert_eq!(gap(1_650, 4_700), 3_000);
        assert_eq!(longest_gap(&[], at(0), at(70)).as_millis(), 70);
    }
}
