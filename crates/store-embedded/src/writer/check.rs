//! Which commits of a batch hold: each against what is committed and what was accepted before it in the same
//! batch.

use std::sync::Arc;

use mcpanel_domain::{TaskId, Timestamp, artifact::Artifact, pipeline::Pipeline, task::Task};
use mcpanel_store::{Error, Key, Result, Subject, Target, Write, hot::DependencyState};
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::Job;
use crate::{
    shared::Shared,
    state::{Beyond, Fates, State},
    tables::Read,
};

/// A batch after the check.
pub struct Checked {
    pub outcomes: Vec<Outcome>,
    pub beyond: Beyond,
    pub fates: Fates,
}

/// A commit and whether it holds.
pub enum Outcome {
    Accepted(Job),
    Refused(Job, Error),
}

impl Outcome {
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// The commit, and the verdict.
    pub fn split(self) -> (Job, Result<()>) {
        match self {
            Self::Accepted(job) => (job, Ok(())),
            Self::Refused(job, error) => (job, Err(error)),
        }
    }
}

impl Checked {
    /// Checks a batch.
    pub fn of(shared: &Shared, connection: &Connection, jobs: Vec<Job>, now: Timestamp) -> Self {
        let mut check = Check {
            read: Read {
                connection,
                namespaces: &shared.namespaces,
            },
            now,
            known: FxHashMap::default(),
            failed: FxHashMap::default(),
            beyond: Beyond::default(),
            fates: Fates::default(),
            unknown: Vec::new(),
            unknown_dependencies: Vec::new(),
            unknown_logs: Vec::new(),
            unknown_counts: Vec::new(),
        };
        let mut room = {
            let mut state = shared.state.lock();
            state.retire();
            for job in &jobs {
                check.look(&state, job);
            }
            shared
                .options
                .live_tasks_max
                .saturating_sub(state.hot.live_count())
        };
        check.look_further();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(match check.accept(&job, &mut room) {
                Ok(()) => Outcome::Accepted(job),
                Err(error) => Outcome::Refused(job, error),
            });
        }
        Self {
            outcomes,
            beyond: check.beyond,
            fates: check.fates,
        }
    }

    /// Those that hold.
    pub fn accepted(&self) -> impl Iterator<Item = &Job> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Accepted(job) => Some(job),
            Outcome::Refused(..) => None,
        })
    }

    pub fn has_accepted(&self) -> bool {
        self.accepted().next().is_some()
    }

    /// Answers all with their conflict, or with `error`.
    pub fn refuse_all(self, error: &Error) {
        for outcome in self.outcomes {
            let (job, verdict) = outcome.split();
            let answer = verdict.err().unwrap_or_else(|| error.clone());
            // A caller that went away does not hear it.
            let _ = job.reply.send(Err(answer));
        }
    }
}

struct Check<'a> {
    read: Read<'a>,
    now: Timestamp,
    /// Revisions as they are after the commits accepted so far.
    known: FxHashMap<Subject, u64>,
    /// What the tables could not say.
    failed: FxHashMap<Subject, Error>,
    beyond: Beyond,
    fates: Fates,
    // What memory did not know, to be looked up outside its lock.
    unknown: Vec<Subject>,
    unknown_dependencies: Vec<Key<TaskId>>,
    unknown_logs: Vec<Key<TaskId>>,
    unknown_counts: Vec<Key<mcpanel_domain::PipelineId>>,
}

impl Check<'_> {
    /// Notes what memory knows about a commit's documents. Only this thread changes documents, so it
    /// stays true until the batch is applied; but what is only in memory because the tables lack it may
    /// leave at any time, so whatever will be needed is copied.
    fn look(&mut self, state: &State, job: &Job) {
        for Target { subject, .. } in &job.targets {
            if let Subject::Task(key) | Subject::Logs(key) = subject
                && state.hot.live_task_at(key).is_none()
                && let Some(ended) = state.task(key)
            {
                self.beyond.tasks.insert(key.clone(), ended.clone());
            }
            match state.revision(subject, self.now) {
                Some(revision) => {
                    self.known.insert(subject.clone(), revision);
                }
                None => self.unknown.push(subject.clone()),
            }
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
                            self.beyond.log_ends.insert(key, end);
                        }
                        None => self.unknown_logs.push(key),
                    }
                }
                _ => {}
            }
        }
    }

    fn look_around(&mut self, state: &State, task: &Task) {
        for dependency in task.dependencies.iter() {
            let on = (task.namespace.clone(), dependency.clone());
            match state.task(&on) {
                Some(found) => {
                    let stands = DependencyState::of(Some(found.status()));
                    self.beyond.dependencies.insert(on, stands);
                }
                None => self.unknown_dependencies.push(on),
            }
        }
        if let Some(place) = &task.place {
            let pipeline = (task.namespace.clone(), place.pipeline_id.clone());
            if !state.hot.has_stage_counts(&pipeline) {
                self.unknown_counts.push(pipeline);
            }
        }
    }

    /// Asks the tables for the rest.
    fn look_further(&mut self) {
        for subject in std::mem::take(&mut self.unknown) {
            match self.stored_revision(&subject) {
                Ok(revision) => {
                    self.known.insert(subject, revision);
                }
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
            self.beyond.dependencies.insert(key, stands);
        }
        for key in std::mem::take(&mut self.unknown_logs) {
            match self.read.log_end(&key.0, &key.1) {
                Ok(end) => {
                    self.beyond.log_ends.insert(key, end);
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
                    self.beyond.stage_counts.insert(key, counts);
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
                    self.beyond.tasks.insert(key.clone(), Arc::new(task));
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

    /// Accepts a commit if everything in it is one ahead of what is there.
    fn accept(&mut self, job: &Job, room: &mut usize) -> Result<()> {
        if !self.failed.is_empty() {
            self.require_known(job)?;
        }
        for target in &job.targets {
            let found = self.known.get(&target.subject).copied().unwrap_or(0);
            if !target.holds(found) {
                return Err(target.conflict(found).into());
            }
        }
        let born = job.writes.iter().filter(|write| is_birth(write)).count();
        if born > *room {
            return Err(Error::Overloaded {
                what: "as many tasks as the server can hold have not ended yet".to_owned(),
            });
        }
        *room -= born;
        for (write, target) in job.writes.iter().zip(targets_of(job)) {
            self.follow(write, target);
        }
        Ok(())
    }

    /// Notes how a task stands after the batch, where another commit of the batch may ask.
    fn foretell(&mut self, task: &Task) {
        if self.beyond.dependencies.is_empty() && self.beyond.log_ends.is_empty() {
            return;
        }
        let key = (task.namespace.clone(), task.id.clone());
        let stands = DependencyState::of(Some(task.status()));
        self.fates.0.insert(key.clone(), stands);
        if let Some(revision) = self.known.get_mut(&Subject::Logs(key)) {
            *revision = task.revision;
        }
    }

    /// Notes how a document stands once this write is applied.
    fn follow(&mut self, write: &Write, target: Option<&Target>) {
        let after = match write {
            Write::Task { task, .. } => {
                self.foretell(task);
                task.revision
            }
            Write::Agent(doc) => doc.revision,
            Write::Pipeline(doc) => doc.revision,
            Write::Template(doc) => u64::from(doc.version),
            Write::Artifact(doc) => doc.revision,
            Write::Key(doc) => doc.revision,
            Write::Idempotency(_) => 1,
            Write::DeleteAgent { .. } | Write::DeleteArtifact { .. } => 0,
            Write::Logs { .. } => return,
        };
        if let Some(target) = target
            && let Some(revision) = self.known.get_mut(&target.subject)
        {
            *revision = after;
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

fn is_birth(write: &Write) -> bool {
    matches!(write, Write::Task { task, .. } if task.revision == 1 && !task.status().is_terminal())
}
