//! Random commits, claims and restarts, on this store and on the in-memory one: every answer must be the same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mcpanel_domain::{
    AgentId, ArtifactId, Name, Namespace, Payload, PipelineId, SessionId, TaskId, Timestamp,
    artifact::Artifact,
    event::{Event, Kind},
    log::{Level, Line},
    pipeline::{self, NewPipeline, Pipeline, Status as PipelineStatus, techdeck},
    task::{Attempt, Lease, NewTask, Place, State, Status, Task},
};
use mcpanel_store::{
    Commit, Error, IdempotencyRecord, Offer, Store, Write,
    memory::MemoryStore,
    query::{ArtifactFilter, EventFilter, Page, PipelineFilter, TaskFilter},
};
use mcpanel_store_embedded::{EmbeddedStore, OpenError, Options};
use proptest::prelude::*;

const NAMESPACES: [&str; 2] = ["default", "other"];
const AGENTS: [&str; 2] = ["ada", "bob"];
const PIPELINES: [&str; 2] = ["pipe_1", "pipe_2"];

/// One step. Small figures choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    /// New tasks in one commit; each may wait for a task of a lower number.
    Create(Vec<New>),
    /// Brings a task into a state.
    Move(usize, Target),
    /// A commit that is one revision off.
    Stale(usize),
    /// Takes tasks, assigns some of them, gives the others back.
    Claim {
        agent: usize,
        max: u32,
        kept: usize,
    },
    Pipeline(usize, usize, bool),
    Artifact(usize, bool),
    Lines(usize, u8),
    Idempotency(usize),
    Advance(u16),
    Restart {
        closed: bool,
    },
}

#[derive(Debug, Clone)]
struct New {
    namespace: usize,
    pipeline: Option<usize>,
    priority: i32,
    waits_for: Option<usize>,
    delay: Option<u16>,
    deadline: Option<u16>,
    other_type: bool,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Pending,
    Held(usize),
    Retry(u16),
    Completed,
    Failed,
    Cancelled,
    Progress(u8),
}

fn new() -> impl Strategy<Value = New> {
    (
        prop_oneof![4 => Just(0_usize), 1 => Just(1)],
        proptest::option::of(0..2_usize),
        -1..2_i32,
        proptest::option::of(0..40_usize),
        proptest::option::weighted(0.2, 0..2_000_u16),
        proptest::option::weighted(0.2, 0..4_000_u16),
        any::<bool>(),
    )
        .prop_map(
            |(namespace, pipeline, priority, waits_for, delay, deadline, other_type)| New {
                namespace,
                pipeline,
                priority,
                waits_for,
                delay,
                deadline,
                other_type,
            },
        )
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Pending),
        (0..2_usize).prop_map(Target::Held),
        (0..2_000_u16).prop_map(Target::Retry),
        Just(Target::Completed),
        Just(Target::Completed),
        Just(Target::Failed),
        Just(Target::Cancelled),
        (0..101_u8).prop_map(Target::Progress),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec(new(), 1..4).prop_map(Step::Create),
        10 => (0..40_usize, target()).prop_map(|(at, target)| Step::Move(at, target)),
        1 => (0..40_usize).prop_map(Step::Stale),
        3 => (0..2_usize, 1..5_u32, 0..5_usize)
            .prop_map(|(agent, max, kept)| Step::Claim { agent, max, kept }),
        2 => (0..2_usize, 0..5_usize, any::<bool>())
            .prop_map(|(at, status, output)| Step::Pipeline(at, status, output)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(at, gone)| Step::Artifact(at, gone)),
        1 => (0..40_usize, 1..5_u8).prop_map(|(at, count)| Step::Lines(at, count)),
        1 => (0..3_usize).prop_map(Step::Idempotency),
        2 => (1..1_500_u16).prop_map(Step::Advance),
        1 => any::<bool>().prop_map(|closed| Step::Restart { closed }),
    ]
}

/// Both stores, and what the test knows of the documents.
struct Both {
    embedded: Arc<EmbeddedStore>,
    memory: Arc<MemoryStore>,
    dir: tempfile::TempDir,
    now: Arc<parking_lot::Mutex<Timestamp>>,
    tasks: Vec<Task>,
    pipelines: BTreeMap<usize, Pipeline>,
    artifacts: BTreeMap<usize, Artifact>,
}

impl Both {
    fn new() -> Self {
        let now = Arc::new(parking_lot::Mutex::new(Timestamp::from_ms(
            1_767_323_045_000,
        )));
        let dir = tempfile::tempdir().unwrap();
        let embedded = EmbeddedStore::open(dir.path(), options(&now)).unwrap();
        let reader = now.clone();
        let memory = Arc::new(MemoryStore::new(Arc::new(move || *reader.lock())));
        Self {
            embedded,
            memory,
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

    /// Commits to both and compares the outcome; tells whether it was accepted.
    async fn commit(&self, commit: Commit) -> bool {
        let ours = self.embedded.commit(commit.clone()).await;
        let theirs = self.memory.commit(commit).await;
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours, theirs);
                true
            }
            (Err(Error::Conflict(ours)), Err(Error::Conflict(theirs))) => {
                assert_eq!(ours, theirs);
                false
            }
            (ours, theirs) => panic!("{ours:?} is not {theirs:?}"),
        }
    }

    fn event(&self, task: &Task, kind: Kind) -> Event {
        let mut event = Event::new(kind, self.now(), task.namespace.clone());
        event.task_id = Some(task.id.clone());
        event
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Create(new) => self.create(new).await,
            Step::Move(at, target) => self.move_task(at, target).await,
            Step::Stale(at) => {
                if let Some(task) = self.tasks.get(at) {
                    assert!(!self.commit(Commit::of(changed(task, None))).await);
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
        assert_eq!(self.commit(Commit::of(write)).await, known.is_some());
    }

    async fn advance(&mut self, ms: u16) {
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
        if closed {
            self.embedded.close().await;
        }
        self.memory = Arc::new(self.memory.restarted());
        // The folder is free only when the old store is gone.
        let parked = EmbeddedStore::open(
            tempfile::tempdir().unwrap().path().join("parked"),
            options(&self.now),
        );
        self.embedded = parked.unwrap();
        self.embedded = self.reopened().await;
    }

    /// The folder's lock ends with its last descriptor: a process that another test starts at this moment has a copy of
    /// it until it runs its program.
    async fn reopened(&self) -> Arc<EmbeddedStore> {
        for _ in 0..100 {
            match EmbeddedStore::open(self.dir.path(), options(&self.now)) {
                Err(OpenError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                opened => return opened.unwrap(),
            }
        }
        panic!("the folder stays in use");
    }

    /// Asks both stores everything there is to ask.
    async fn compare(&self) {
        for at in 0..NAMESPACES.len() {
            let namespace = ns(at);
            self.compare_documents(&namespace).await;
            self.compare_lists(&namespace).await;
            self.compare_events(&namespace).await;
        }
        let (ours, theirs) = (&self.embedded, &self.memory);
        assert_eq!(
            ours.doomed_tasks(100).await.unwrap(),
            theirs.doomed_tasks(100).await.unwrap()
        );
        assert_eq!(
            ours.orphaned_leases(100).await.unwrap(),
            theirs.orphaned_leases(100).await.unwrap()
        );
        assert_eq!(
            ours.unsettled_pipelines().await.unwrap(),
            theirs.unsettled_pipelines().await.unwrap()
        );
        assert_eq!(
            ours.next_due().await.unwrap(),
            theirs.next_due().await.unwrap()
        );
    }

    async fn compare_documents(&self, namespace: &Namespace) {
        let (ours, theirs) = (&self.embedded, &self.memory);
        let ids: Vec<TaskId> = (0..self.tasks.len() + 1)
            .map(|n| TaskId::parse(&format!("task_{n:03}")).unwrap())
            .collect();
        assert_eq!(
            ours.tasks(namespace, &ids).await.unwrap(),
            theirs.tasks(namespace, &ids).await.unwrap()
        );
        let payloads = |found: Vec<Option<mcpanel_store::query::Payloads>>| {
            found
                .into_iter()
                .map(|each| each.map(|each| (each.parameters, each.result)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            payloads(ours.payloads(namespace, &ids).await.unwrap()),
            payloads(theirs.payloads(namespace, &ids).await.unwrap())
        );
        for id in &ids {
            assert_eq!(
                ours.dependents(namespace, id).await.unwrap(),
                theirs.dependents(namespace, id).await.unwrap()
            );
            assert_eq!(
                ours.ready_ahead(namespace, id).await.unwrap(),
                theirs.ready_ahead(namespace, id).await.unwrap()
            );
            assert_eq!(
                ours.logs(namespace, id, 2, 5).await.unwrap(),
                theirs.logs(namespace, id, 2, 5).await.unwrap()
            );
        }
        assert_eq!(
            ours.totals(namespace).await.unwrap(),
            theirs.totals(namespace).await.unwrap()
        );
        for id in PIPELINES.map(|id| PipelineId::parse(id).unwrap()) {
            assert_eq!(
                ours.stage_counts(namespace, &id).await.unwrap(),
                theirs.stage_counts(namespace, &id).await.unwrap()
            );
            assert_eq!(
                ours.pipeline(namespace, &id).await.unwrap(),
                theirs.pipeline(namespace, &id).await.unwrap()
            );
        }
        for id in AGENTS.map(|id| AgentId::parse(id).unwrap()) {
            assert_eq!(
                ours.leases(namespace, &id).await.unwrap(),
                theirs.leases(namespace, &id).await.unwrap()
            );
        }
        for n in 0..3 {
            let key = format!("key {n}");
            assert_eq!(
                ours.idempotency(namespace, &key).await.unwrap(),
                theirs.idempotency(namespace, &key).await.unwrap()
            );
        }
    }

    async fn compare_lists(&self, namespace: &Namespace) {
        let (ours, theirs) = (&self.embedded, &self.memory);
        for filter in filters() {
            let mut page = Page {
                after: None,
                limit: 4,
            };
            loop {
                let left = ours.list_tasks(namespace, &filter, &page).await.unwrap();
                let right = theirs.list_tasks(namespace, &filter, &page).await.unwrap();
                assert_eq!(left.items, right.items, "{filter:?}");
                assert_eq!(left.next, right.next, "{filter:?}");
                match left.next {
                    Some(next) => page.after = Some(next),
                    None => break,
                }
            }
        }
        let page = Page {
            after: None,
            limit: 100,
        };
        for status in PipelineStatus::ALL {
            for tag in [None, Some("tag1".to_owned())] {
                let filter = PipelineFilter {
                    statuses: vec![status, PipelineStatus::Created],
                    tag,
                };
                let left = ours.list_pipelines(namespace, &filter, &page).await;
                let right = theirs.list_pipelines(namespace, &filter, &page).await;
                assert_eq!(left.unwrap().items, right.unwrap().items);
            }
        }
        for role in [None, Some("role1".to_owned())] {
            let filter = ArtifactFilter {
                role,
                ..ArtifactFilter::default()
            };
            let left = ours.list_artifacts(namespace, &filter, &page).await;
            let right = theirs.list_artifacts(namespace, &filter, &page).await;
            assert_eq!(left.unwrap().items, right.unwrap().items);
        }
    }

    async fn compare_events(&self, namespace: &Namespace) {
        let filter = EventFilter::default();
        let mut after = 0;
        loop {
            let ours = self.embedded.events(namespace, &filter, after, 7).await;
            let theirs = self.memory.events(namespace, &filter, after, 7).await;
            let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
            assert_eq!(ours.events, theirs.events);
            assert_eq!(
                (ours.scanned_to, ours.last, ours.first_kept),
                (theirs.scanned_to, theirs.last, theirs.first_kept)
            );
            if ours.scanned_to == after {
                break;
            }
            after = ours.scanned_to;
        }
    }
}

fn filters() -> Vec<TaskFilter> {
    let base = TaskFilter::default();
    let mut filters = vec![
        base.clone(),
        TaskFilter {
            task_type: Some(Name::parse("other").unwrap()),
            ..base.clone()
        },
        TaskFilter {
            agent_id: Some(AgentId::parse("ada").unwrap()),
            ..base.clone()
        },
        TaskFilter {
            pipeline_id: Some(PipelineId::parse("pipe_1").unwrap()),
            stage: Some(2),
            ..base.clone()
        },
        TaskFilter {
            statuses: vec![Status::Failed, Status::Cancelled, Status::Pending],
            task_type: Some(Name::parse("work").unwrap()),
            ..base.clone()
        },
    ];
    filters.extend(Status::ALL.map(|status| TaskFilter {
        statuses: vec![status],
        ..base.clone()
    }));
    filters
}

fn options(now: &Arc<parking_lot::Mutex<Timestamp>>) -> Options {
    let now = now.clone();
    Options {
        segment_bytes: 32 * 1024,
        parameters_cached_bytes: 60,
        ..Options::new(Arc::new(move || *now.lock()))
    }
}

fn ns(at: usize) -> Namespace {
    Namespace::parse(NAMESPACES[at]).unwrap()
}

fn changed(task: &Task, result: Option<Payload>) -> Write {
    Write::Task {
        task: Arc::new(task.clone()),
        parameters: None,
        result,
    }
}

fn assign(task: &mut Task, agent: &str, now: Timestamp) {
    task.attempt += 1;
    let agent_id = AgentId::parse(agent).unwrap();
    let session = SessionId::parse("sess_1").unwrap();
    task.attempts.push(Attempt {
        number: task.attempt,
        nonce: 1,
        agent_id: agent_id.clone(),
        session: session.clone(),
        assigned_at: now,
        started_at: None,
        ended_at: None,
        outcome: None,
        error: None,
    });
    task.state = State::Assigned(Lease {
        attempt: task.attempt,
        nonce: 1,
        agent_id,
        session,
        granted_at: now,
        expires_at: now.plus_ms(1_000),
        started_at: None,
    });
}

fn new_pipeline(id: &str, now: Timestamp) -> Pipeline {
    let namespace = ns(0);
    let new = NewPipeline {
        id: PipelineId::parse(id).unwrap(),
        name: id.to_owned(),
        description: String::new(),
        template: None,
        stages: techdeck::template(&namespace).stages,
        input_data: Payload::empty(),
        metadata: Payload::empty(),
        tags: Vec::new(),
        priority: 0,
    };
    let created = pipeline::create(new, &namespace, "tester", now);
    created.unwrap().pipeline.unwrap()
}

fn new_artifact(id: ArtifactId, at: usize, now: Timestamp) -> Artifact {
    Artifact {
        id,
        namespace: ns(0),
        revision: 1,
        pipeline_id: None,
        stage: None,
        task_id: None,
        attempt: None,
        index: 0,
        name: "data.csv".to_owned(),
        role: format!("role{}", at % 2),
        media_type: "text/csv".to_owned(),
        size_bytes: 1,
        sha256: String::new(),
        records: None,
        metadata: Payload::empty(),
        created_at: now,
        created_by: "tester".to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })]

    /// The in-memory store is the model.
    #[test]
    fn answers_as_the_model_does(steps in proptest::collection::vec(step(), 1..70)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut both = Both::new();
            for (at, step) in steps.into_iter().enumerate() {
                let restarted = matches!(step, Step::Restart { .. });
                both.apply(step).await;
                if restarted || at % 8 == 7 {
                    both.compare().await;
                }
            }
            both.compare().await;
        });
    }
}
