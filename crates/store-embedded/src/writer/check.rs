//! Which commits hold: each against what is committed and what was accepted before it in the same batch.

use std::{ops::Range, sync::Arc};

use mcpanel_domain::{
    PipelineId, TaskId, Timestamp, artifact::Artifact, operation::Operation, pipeline::Pipeline,
    task::Task,
};
use mcpanel_store::{Error, Key, Result, Subject, Target, Write, hot::DependencyState};
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::{Batch, Job};
use crate::{shared::Shared, state::State, tables::Read};

/// Checks commits and takes them into `batch`. None of them may touch what is still on its way into memory; `unborn`
/// is how many tasks come to life there.
pub fn check(
    shared: &Shared,
    connection: &Connection,
    batch: &mut Batch,
    unborn: usize,
    jobs: Vec<Job>,
) {
    batch.expect(jobs.len());
    let mut check = Check {
        read: Read {
            connection,
            namespaces: &shared.namespaces,
        },
        now: shared.now(),
        batch,
        found: Vec::with_capacity(jobs.len()),
        failed: FxHashMap::default(),
        unknown: Vec::new(),
        unknown_dependencies: Vec::new(),
        unknown_logs: Vec::new(),
        unknown_counts: Vec::new(),
    };
    let live = {
        let state = shared.state.lock();
        for job in &jobs {
            check.look(&state, job);
        }
        state.hot.live_count()
    };
    check.look_further();
    let room = shared.options.live_tasks_max.saturating_sub(live + unborn);
    let mut from = 0;
    for job in jobs {
        let to = from + job.targets.len();
        let verdict = check.accept(&job, from..to, room);
        check.batch.push(job, verdict);
        from = to;
    }
}

struct Check<'a> {
    read: Read<'a>,
    now: Timestamp,
    batch: &'a mut Batch,
    /// The revision of each target of each commit, as it is committed, in order.
    found: Vec<u64>,
    /// What the tables could not say.
    failed: FxHashMap<Subject, Error>,
    // What memory did not know, to be looked up outside its lock: targets by their place in `found`.
    unknown: Vec<(usize, Subject)>,
    unknown_dependencies: Vec<Key<TaskId>>,
    unknown_logs: Vec<Key<TaskId>>,
    unknown_counts: Vec<Key<PipelineId>>,
}

impl Check<'_> {
    /// Notes what memory knows about a commit's documents. Only this thread changes documents, so it
    /// stays true until the batch is applied; but what is only in memory because the tables lack it may
    /// leave at any time, so whatever will be needed is copied.
    fn look(&mut self, state: &State, job: &Job) {
        for Target { subject, .. } in &job.targets {
            let known = match subject {
                Subject::Task(key) | Subject::Logs(key) => self.look_at_task(state, key),
                _ => state.revision(subject, self.now),
            };
            if known.is_none() {
                self.unknown.push((self.found.len(), subject.clone()));
            }
            self.found.push(known.unwrap_or(0));
        }
        for write in &job.writes {
            match write {
                Write::Task { task, .. } => self.look_around(state, task),
                Write::Logs {
                    namespace, task_id, ..
                } => {
                    let key = (namespace.clone(), task_id.clone());
                    match state.log_end(&key) {
                        Some(end) => {
                            self.batch.beyond.log_ends.insert(key, end);
                        }
                        None => self.unknown_logs.push(key),
                    }
                }
                _ => {}
            }
        }
    }

    fn look_at_task(&mut self, state: &State, key: &Key<TaskId>) -> Option<u64> {
        if let Some(live) = state.hot.live_task_at(key) {
            return Some(live.revision);
        }
        match state.task(key) {
            Some(ended) => {
                self.batch.beyond.tasks.insert(key.clone(), ended.clone());
                Some(ended.revision)
            }
            None => state.is_beyond_tables(key).then_some(0),
        }
    }

    fn look_around(&mut self, state: &State, task: &Task) {
        for dependency in task.dependencies.iter() {
            let on = (task.namespace.clone(), dependency.clone());
            self.batch.foretell_earlier(&on);
            match state.task(&on) {
                Some(found) => {
                    let stands = DependencyState::of(Some(found.status()));
                    self.batch.beyond.dependencies.insert(on, stands);
                }
                None => self.unknown_dependencies.push(on),
            }
        }
        if let Some(place) = &task.place {
            let pipeline = (task.namespace.clone(), place.pipeline_id.clone());
            if !state.hot.has_stage_counts(&pipeline) {
                self.unknown_counts.push(pipeline.clone());
            }
            self.batch.pipelines.insert(pipeline);
        }
    }

    /// Asks the tables for the rest.
    fn look_further(&mut self) {
        for (at, subject) in std::mem::take(&mut self.unknown) {
            match self.stored_revision(&subject) {
                Ok(revision) => self.found[at] = revision,
                Err(error) => {
                    self.failed.insert(subject, error);
                }
            }
        }
        for key in std::mem::take(&mut self.unknown_dependencies) {
            // A dependency that cannot be read may still be repaired: wait, do not give up.
            let stands = self
                .stored_task(&key)
                .map_or(DependencyState::Open, |found| {
                    DependencyState::of(found.map(|task| task.status()))
                });
            self.batch.beyond.dependencies.insert(key, stands);
        }
        for key in std::mem::take(&mut self.unknown_logs) {
            match self.read.log_end(&key.0, &key.1) {
                Ok(end) => {
                    self.batch.beyond.log_ends.insert(key, end);
                }
                Err(error) => {
                    self.failed.insert(Subject::Logs(key), error);
                }
            }
        }
        for key in std::mem::take(&mut self.unknown_counts) {
            match self.read.stage_counts(&key.0, &key.1) {
                Ok(counts) if counts.is_empty() => {}
                Ok(counts) => {
                    self.batch.beyond.stage_counts.insert(key, counts);
                }
                Err(error) => {
                    self.failed.insert(Subject::Pipeline(key), error);
                }
            }
        }
    }

    fn stored_revision(&mut self, subject: &Subject) -> Result<u64> {
        Ok(match subject {
            Subject::Task(key) | Subject::Logs(key) => match self.stored_task(key)? {
                Some(task) => {
                    let revision = task.revision;
                    self.batch.beyond.tasks.insert(key.clone(), Arc::new(task));
                    revision
                }
                None => 0,
            },
            Subject::Pipeline(key) => self
                .read
                .document::<Pipeline>(&key.0, key.1.as_str())?
                .map_or(0, |doc| doc.revision),
            Subject::Artifact(key) => self
                .read
                .document::<Artifact>(&key.0, key.1.as_str())?
                .map_or(0, |doc| doc.revision),
            Subject::Idempotency(key) => self
                .read
                .idempotency(&key.0, &key.1)?
                .map_or(0, |record| u64::from(record.expires_at > self.now)),
            Subject::Operation(key) => self
                .read
                .document::<Operation>(&key.0, key.1.as_str())?
                .map_or(0, |doc| doc.revision),
            Subject::Sample(key) => {
                let next = Timestamp::from_ms(key.1.as_ms() + 1);
                u64::from(!self.read.samples(&key.0, key.1, next)?.is_empty())
            }
            // These are wholly in memory.
            Subject::Agent(_) | Subject::Template(_) | Subject::Key(_) => 0,
        })
    }

    fn stored_task(&self, key: &Key<TaskId>) -> Result<Option<Task>> {
        self.read.document(&key.0, key.1.as_str())
    }

    /// Refuses a commit of which something could not be looked up.
    fn require_known(&self, job: &Job) -> Result<()> {
        let counted = job.writes.iter().filter_map(|write| match write {
            Write::Task { task, .. } => {
                let place = task.place.as_ref()?;
                let key = (task.namespace.clone(), place.pipeline_id.clone());
                Some(Subject::Pipeline(key))
            }
            _ => None,
        });
        let targets = job.targets.iter().map(|target| target.subject.clone());
        match targets
            .chain(counted)
            .find_map(|each| self.failed.get(&each))
        {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Accepts a commit if everything in it is one ahead of what is there, and there is room for its tasks.
    fn accept(&mut self, job: &Job, found: Range<usize>, room: usize) -> Result<()> {
        if !self.failed.is_empty() {
            self.require_known(job)?;
        }
        for (target, at) in job.targets.iter().zip(found) {
            let found = self.changed_to(&target.subject).unwrap_or(self.found[at]);
            if !target.holds(found) {
                return Err(target.conflict(found).into());
            }
        }
        let born = job
            .writes
            .iter()
            .zip(targets_of(job))
            .filter(|(write, target)| is_birth(write, *target))
            .count();
        if self.batch.births + born > room && born > 0 {
            return Err(Error::Overloaded {
                what: "as many tasks as the server can hold have not ended yet".to_owned(),
            });
        }
        self.batch.births += born;
        for (write, target) in job.writes.iter().zip(targets_of(job)) {
            self.follow(write, target);
        }
        Ok(())
    }

    /// The revision that an earlier commit of the batch leads to, if one does.
    fn changed_to(&self, subject: &Subject) -> Option<u64> {
        match subject {
            // Logs change nothing; the task they belong to may have been born a commit ago.
            Subject::Logs(key) => self.batch.changed.get(&Subject::Task(key.clone())).copied(),
            _ => self.batch.changed.get(subject).copied(),
        }
    }

    /// Notes how a document stands once this write is applied.
    fn follow(&mut self, write: &Write, target: Option<&Target>) {
        let after = match write {
            Write::Task { task, .. } => {
                self.batch.foretell(task);
                task.revision
            }
            Write::Agent(doc) => doc.revision,
            Write::Pipeline(doc) => doc.revision,
            Write::Template(doc) => u64::from(doc.version),
            Write::Artifact(doc) => doc.revision,
            Write::Key(doc) => doc.revision,
            Write::Operation(doc) => doc.revision,
            Write::Idempotency(_) | Write::Sample(_) => 1,
            // Its lines get their numbers when they are taken into memory; see `Batch::touches`.
            Write::Logs { .. }
            | Write::DeleteAgent { .. }
            | Write::DeleteArtifact { .. }
            | Write::DeleteOperation { .. } => 0,
        };
        if let Some(target) = target {
            self.batch.changed.insert(target.subject.clone(), after);
        }
    }
}

/// The target of each write. Logs of a task that the commit itself creates have none, so a plain zip
/// would go astray after them.
fn targets_of(job: &Job) -> impl Iterator<Item = Option<&Target>> {
    let mut targets = job.targets.iter().peekable();
    job.writes.iter().map(move |write| {
        if matches!(write, Write::Logs { .. }) {
            targets.next_if(|target| matches!(target.subject, Subject::Logs(_)))
        } else {
            targets.next()
        }
    })
}

fn is_birth(write: &Write, target: Option<&Target>) -> bool {
    target.is_some_and(|target| target.expected == 0)
        && matches!(write, Write::Task { task, .. } if !task.status().is_terminal())
}
