//! The store and its model, given the same.

use std::{collections::BTreeMap, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use mcpanel_domain::{
    AgentId, ArtifactId, Name, Payload, PipelineId, SessionId, TaskId, Timestamp,
    artifact::Artifact,
    event::{Event, Kind},
    log::{Level, Line},
    pipeline::{Pipeline, Status as PipelineStatus},
    task::{NewTask, Place, State, Status, Task},
};
use mcpanel_store::{
    Commit, Conflict, Error, IdempotencyRecord, Offer, Receipt, Store, Write, memory::MemoryStore,
};
use mcpanel_store_embedded::{EmbeddedStore, OpenError, Options};

use super::{
    AGENTS, PIPELINES,
    documents::{assign, changed, new_artifact, new_pipeline, ns},
    steps::{New, Step, Target},
};

/// What became of a commit: its number, or the conflict in the way.
type Verdict = std::result::Result<Receipt, Conflict>;

/// Both stores, and what the test knows of the documents.
pub(super) struct Both {
    pub(super) embedded: Arc<EmbeddedStore>,
    pub(super) memory: Arc<MemoryStore>,
    /// Commits that only the model had yet, and what it said: the store is given so many at once.
    burst: Vec<(Commit, Verdict)>,
    bursts_of: usize,
    dir: tempfile::TempDir,
    now: Arc<parking_lot::Mutex<Timestamp>>,
    pub(super) tasks: Vec<Task>,
    pipelines: BTreeMap<usize, Pipeline>,
    artifacts: BTreeMap<usize, Artifact>,
}

impl Both {
    /// The store is given so many commits at once.
    pub(super) fn new(bursts_of: usize) -> Self {
        let now = Arc::new(parking_lot::Mutex::new(Timestamp::from_ms(
            1_767_323_045_000,
        )));
        let dir = tempfile::tempdir().unwrap();
        let embedded = EmbeddedStore::open(dir.path(), options(&now, bursts_of)).unwrap();
        let reader = now.clone();
        let memory = Arc::new(MemoryStore::new(Arc::new(move || *reader.lock())));
        Self {
            embedded,
            memory,
            burst: Vec::new(),
            bursts_of,
            dir,
            now,
            tasks: Vec::new(),
            pipelines: BTreeMap::new(),
            artifacts: BTreeMap::new(),
        }
    }

    fn now(&self) -> Timestamp {
        *self.now.lock()
    }

    /// Commits to the model, and to the store now or a little later; tells whether it was accepted.
    async fn commit(&mut self, commit: Commit) -> bool {
        let verdict = verdict(self.memory.commit(commit.clone()).await);
        let accepted = verdict.is_ok();
        self.burst.push((commit, verdict));
        if self.burst.len() >= self.bursts_of {
            self.settle_up().await;
        }
        accepted
    }

    /// Gives the store what only the model had yet, all at once, and compares what came of it: commits that arrive
    /// together are judged in their order, as if they came one by one.
    pub(super) async fn settle_up(&mut self) {
        let embedded = self.embedded.clone();
        let mut answers = Vec::new();
        for (commit, expected) in std::mem::take(&mut self.burst) {
            let mut answer = embedded.commit(commit);
            // The first look puts it into the queue.
            let early = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
            answers.push((answer, early, expected));
        }
        for (answer, early, expected) in answers {
            let outcome = match early {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => answer.await,
            };
            assert_eq!(verdict(outcome), expected);
        }
    }

    fn event(&self, task: &Task, kind: Kind) -> Event {
        let mut event = Event::new(kind, self.now(), task.namespace.clone());
        event.task_id = Some(task.id.clone());
        event
    }

    pub(super) async fn apply(&mut self, step: Step) {
        match step {
            Step::Create(new) => self.create(new).await,
            Step::Move(at, target) => self.move_task(at, target).await,
            Step::Stale(at) => {
                if let Some(task) = self.tasks.get(at) {
                    let commit = Commit::of(changed(task, None));
                    assert!(!self.commit(commit).await);
                }
            }
            Step::Claim { agent, max, kept } => self.claim(agent, max, kept).await,
            Step::Pipeline(at, status, output) => self.pipeline(at, status, output).await,
            Step::Artifact(at, gone) => self.artifact(at, gone).await,
            Step::Lines(at, count) => self.lines(at, count).await,
            Step::Idempotency(at) => {
                let record = IdempotencyRecord {
                    namespace: ns(0),
                    key: format!("key {at}"),
                    fingerprint: [0; 32],
                    outcome: Payload::empty(),
                    created_at: self.now(),
                    expires_at: self.now().plus_ms(1_000),
                };
                self.commit(Commit::of(Write::Idempotency(record))).await;
            }
            Step::Advance(ms) => self.advance(ms).await,
            Step::Restart { closed } => self.restart(closed).await,
        }
    }

    async fn create(&mut self, new: Vec<New>) {
        let mut commit = Commit::default();
        let mut created = Vec::new();
        for new in new {
            let n = self.tasks.len() + created.len();
            let task = self.task(n, &new);
            commit = commit
                .with(Write::Task {
                    task: Arc::new(task.clone()),
                    parameters: Some(Payload::parse(&format!("{{\"n\":{n}}}")).unwrap()),
                    result: None,
                })
                .with_events([self.event(&task, Kind::TaskCreated)]);
            created.push(task);
        }
        assert!(self.commit(commit).await);
        self.tasks.extend(created);
    }

    fn task(&self, n: usize, new: &New) -> Task {
        let id = format!("task_{n:03}");
        let id = TaskId::parse(&id).unwrap();
        let kind = if new.other_type { "other" } else { "work" };
        let mut draft = NewTask::of_type(id, Name::parse(kind).unwrap());
        draft.capabilities = vec![Name::parse("work").unwrap()];
        draft.priority = new.priority;
        draft.run_at = new.delay.map(|ms| self.now().plus_ms(ms.into()));
        draft.deadline = new.deadline.map(|ms| self.now().plus_ms(ms.into()));
        draft.dependencies = new
            .waits_for
            .filter(|on| *on < n)
            .map(|on| TaskId::parse(&format!("task_{on:03}")).unwrap())
            .into_iter()
            .collect();
        draft.place = new.pipeline.map(|at| Place {
            pipeline_id: PipelineId::parse(PIPELINES[at]).unwrap(),
            stage: 1 + u16::try_from(n % 3).unwrap(),
            index: u32::try_from(n).unwrap(),
            run: 1,
        });
        let by: Arc<str> = Arc::from("tester");
        let decision = draft.create(&ns(new.namespace), &by, self.now());
        decision.task.unwrap()
    }

    async fn move_task(&mut self, at: usize, target: Target) {
        let now = self.now();
        let Some(task) = self.tasks.get(at) else {
            return;
        };
        // Completed is for good; what failed may be tried again.
        if task.status() == Status::Completed {
            return;
        }
        let mut next = task.clone();
        next.revision += 1;
        match target {
            Target::Pending => next.state = State::Pending,
            Target::Held(agent) => assign(&mut next, AGENTS[agent], now),
            Target::Retry(ms) => {
                next.state = State::Retry {
                    at: now.plus_ms(ms.into()),
                };
            }
            Target::Completed => next.state = State::Completed,
            Target::Failed => next.state = State::Failed,
            Target::Cancelled => next.state = State::Cancelled,
            Target::Progress(percent) => next.progress.percent = percent.into(),
        }
        let result = matches!(target, Target::Completed).then(|| Payload::parse("[7]").unwrap());
        let commit =
            Commit::of(changed(&next, result)).with_events([self.event(&next, Kind::TaskUpdated)]);
        assert!(self.commit(commit).await);
        self.tasks[at] = next;
    }

    async fn claim(&mut self, agent: usize, max: u32, kept: usize) {
        self.settle_up().await;
        let now = self.now();
        let offer = Offer {
            namespace: ns(0),
            agent_id: AgentId::parse(AGENTS[agent]).unwrap(),
            session: SessionId::parse("sess_1").unwrap(),
            capabilities: vec![Name::parse("work").unwrap()],
            concurrency: 6,
            max,
        };
        let ours = self.embedded.take_ready(&offer, now).await.unwrap();
        let theirs = self.memory.take_ready(&offer, now).await.unwrap();
        assert_eq!(ours, theirs);
        for task in ours.iter().take(kept) {
            let mut next = (**task).clone();
            next.revision += 1;
            assign(&mut next, AGENTS[agent], now);
            assert!(self.commit(Commit::of(changed(&next, None))).await);
            let at = self.tasks.iter().position(|each| each.id == next.id);
            self.tasks[at.unwrap()] = next;
        }
        self.settle_up().await;
        self.embedded.unreserve(&ns(0), &ours);
        self.memory.unreserve(&ns(0), &theirs);
    }

    async fn pipeline(&mut self, at: usize, status: usize, output: bool) {
        let next = match self.pipelines.get(&at) {
            None => new_pipeline(PIPELINES[at], self.now()),
            Some(known) => {
                let mut next = known.clone();
                next.revision += 1;
                next.status = PipelineStatus::ALL[status];
                next.output_data = output.then(Payload::empty);
                next.tags = vec![format!("tag{status}")];
                next
            }
        };
        let write = Write::Pipeline(Arc::new(next.clone()));
        assert!(self.commit(Commit::of(write)).await);
        self.pipelines.insert(at, next);
    }

    async fn artifact(&mut self, at: usize, gone: bool) {
        let id = ArtifactId::parse(&format!("art_{at}")).unwrap();
        if gone {
            let delete = Write::DeleteArtifact {
                namespace: ns(0),
                id,
                revision: 1,
            };
            let accepted = self.commit(Commit::of(delete)).await;
            assert_eq!(accepted, self.artifacts.remove(&at).is_some());
        } else if !self.artifacts.contains_key(&at) {
            let artifact = new_artifact(id, at, self.now());
            let write = Write::Artifact(Arc::new(artifact.clone()));
            assert!(self.commit(Commit::of(write)).await);
            self.artifacts.insert(at, artifact);
        }
    }

    async fn lines(&mut self, at: usize, count: u8) {
        let id = TaskId::parse(&format!("task_{at:03}")).unwrap();
        let known = self.tasks.get(at);
        let line = |n| Line {
            seq: 0,
            at: self.now(),
            attempt: 1,
            level: Level::Info,
            message: format!("line {n}"),
        };
        let write = Write::Logs {
            namespace: known.map_or_else(|| ns(0), |task| task.namespace.clone()),
            task_id: id,
            lines: (0..count).map(line).collect(),
        };
        let is_known = known.is_some();
        assert_eq!(self.commit(Commit::of(write)).await, is_known);
    }

    async fn advance(&mut self, ms: u16) {
        self.settle_up().await;
        let now = self.now().plus_ms(ms.into());
        *self.now.lock() = now;
        let ours = self.embedded.due(now, 100).await.unwrap();
        assert_eq!(ours, self.memory.due(now, 100).await.unwrap());
        // As their owners do: nothing to do yet.
        for due in &ours {
            self.embedded.rearm(due, now.plus_ms(700));
            self.memory.rearm(due, now.plus_ms(700));
        }
    }

    async fn restart(&mut self, closed: bool) {
        self.settle_up().await;
        if closed {
            self.embedded.close().await;
        }
        self.memory = Arc::new(self.memory.restarted());
        // The folder is free only when the old store is gone.
        let parked = EmbeddedStore::open(
            tempfile::tempdir().unwrap().path().join("parked"),
            options(&self.now, self.bursts_of),
        );
        self.embedded = parked.unwrap();
        self.embedded = self.reopened().await;
    }

    /// The folder's lock ends with its last descriptor: a process that another test starts at this moment has a copy of
    /// it until it runs its program.
    async fn reopened(&self) -> Arc<EmbeddedStore> {
        for _ in 0..100 {
            match EmbeddedStore::open(self.dir.path(), options(&self.now, self.bursts_of)) {
                Err(OpenError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                opened => return opened.unwrap(),
            }
        }
        panic!("the folder stays in use");
    }
}

fn verdict(outcome: mcpanel_store::Result<Receipt>) -> Verdict {
    match outcome {
        Ok(receipt) => Ok(receipt),
        Err(Error::Conflict(conflict)) => Err(conflict),
        Err(error) => panic!("{error}"),
    }
}

/// Single commits are flushed by the writer; of bursts, the first commits are under way on the other thread when the
/// rest arrives.
fn options(now: &Arc<parking_lot::Mutex<Timestamp>>, bursts_of: usize) -> Options {
    let now = now.clone();
    Options {
        segment_bytes: 32 * 1024,
        parameters_cached_bytes: 60,
        overlap_commits_min: if bursts_of > 1 { 1 } else { usize::MAX },
        ..Options::new(Arc::new(move || *now.lock()))
    }
}
