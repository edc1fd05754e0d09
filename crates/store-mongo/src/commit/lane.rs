//! One lane: takes what waits, writes it as one transaction, answers, and begins again.

use std::{
    borrow::Cow,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use mcpanel_domain::{TaskId, event::Event};
use mcpanel_store::{Error, Key, Receipt, Result, Subject, Target};
use mongodb::{
    ClientSession,
    bson::{Binary, DateTime, RawDocumentBuf, doc, oid::ObjectId, rawdoc, spec::BinarySubtype},
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;

use super::{
    Committer,
    counts::SHARDS,
    group::{Group, Present},
    queue::{Held, Job},
    txn::{Failed, Txn},
    waits,
};
use crate::{
    chance::below,
    documents::{
        Fields, Large, Reader, Shelf, agent, event, fields::long, payload::CHUNK_BYTES, pipeline,
        small, task,
    },
    error::unavailable,
    project::Change,
    read::{self, BLOCK_EVENTS_MAX},
    schema,
};

/// How long a commit is tried before its callers are told that the store is away: longer than an
/// election of a new primary takes (10 to 12 s at MongoDB's defaults).
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest pause before another try, in milliseconds; it grows to this from one.
const PAUSE_MS_MAX: u64 = 200;

/// How long a caller waits for the number of its last event before it is told the last known one. Numbering takes
/// some milliseconds; a machine so busy that it takes seconds still tells the truth.
const NUMBER_PATIENCE: Duration = Duration::from_secs(5);

/// How long followers may take over one group's changes.
const FOLLOW_PATIENCE: Duration = Duration::from_millis(500);

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
                let (jobs, held) = group.split();
                lane.write(jobs).await;
                lane.release(&held);
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

/// What became durable.
struct Done {
    changes: Vec<Change>,
    /// Blocks of events, each with how many it holds.
    blocks: Vec<(ObjectId, Vec<Event>)>,
    tasks: Vec<Arc<mcpanel_domain::task::Task>>,
}

impl Lane {
    fn release(&self, held: &Held) {
        let more = {
            let mut waiting = self.committer.waiting.lock();
            waiting.release(held);
            waiting.has_some()
        };
        if more {
            self.committer.bell.notify_one();
        }
    }

    /// Writes commits together, or, if one of them spoils it for the others, one by one.
    async fn write(&mut self, jobs: Vec<Job>) {
        let alone = jobs.len() == 1;
        let Err((jobs, error)) = self.write_together(jobs).await else {
            return;
        };
        if alone {
            for job in jobs {
                answer(job.reply, Err(error.clone()));
            }
            return;
        }
        for job in jobs {
            if let Err((jobs, error)) = self.write_together(vec![job]).await {
                for job in jobs {
                    answer(job.reply, Err(error.clone()));
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
            let present = match self.present(&mut jobs, look).await {
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
                    self.finish(jobs, done).await;
                    return Ok(());
                }
                Err(Failed::Raced(why)) if began.elapsed() < PATIENCE => {
                    tracing::trace!(why, "a transaction met another");
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

    /// A store that is away is away for all; anything else may be the fault of one commit.
    fn give_up(&self, jobs: Vec<Job>, error: Error) -> std::result::Result<(), (Vec<Job>, Error)> {
        self.forget(&jobs);
        if matches!(error, Error::Unavailable { .. }) {
            for job in jobs {
                answer(job.reply, Err(error.clone()));
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

    /// What the commits replace. Those that cannot hold are answered and taken out. With `look`, every
    /// document is looked at; without, only those whose former state is needed.
    async fn present(&self, jobs: &mut Vec<Job>, look: bool) -> Result<Present> {
        let heads = &self.committer.heads;
        let mut present = Present::default();
        let mut found: FxHashMap<Subject, u64> = FxHashMap::default();
        let mut ask: Vec<&Target> = Vec::new();
        for target in jobs.iter().flat_map(|job| &job.targets) {
            let known = match &target.subject {
                Subject::Task(key) if target.expected > 0 => heads
                    .task(key, target.expected)
                    .map(|task| present.tasks.insert(key.clone(), task))
                    .is_some(),
                Subject::Task(key) => !look && !heads.knows_task(key),
                Subject::Logs(key) => heads.knows_task(key),
                Subject::Agent(key) if target.expected > 0 => heads
                    .agent(key, target.expected)
                    .map(|agent| present.agents.insert(key.clone(), agent))
                    .is_some(),
                Subject::Pipeline(key) if target.expected > 0 => heads
                    .pipeline(key, target.expected)
                    .map(|pipeline| present.pipelines.insert(key.clone(), pipeline))
                    .is_some(),
                Subject::Template(_) => false,
                _ => !look,
            };
            if !known {
                ask.push(target);
            }
        }
        self.ask(&ask, &mut present, &mut found).await?;
        let asked: FxHashSet<Subject> = ask
            .into_iter()
            .map(|target| target.subject.clone())
            .collect();
        let mut holding = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            let broken = job.targets.iter().find_map(|target| {
                if !asked.contains(&target.subject) {
                    return None;
                }
                let at = found.get(&target.subject).copied().unwrap_or(0);
                (!target.holds(at)).then(|| target.conflict(at))
            });
            match broken {
                Some(conflict) => answer(job.reply, Err(conflict.into())),
                None => holding.push(job),
            }
        }
        *jobs = holding;
        Ok(present)
    }

    /// Reads documents as they are now.
    async fn ask(
        &self,
        targets: &[&Target],
        present: &mut Present,
        found: &mut FxHashMap<Subject, u64>,
    ) -> Result<()> {
        let mongo = &self.committer.mongo;
        let mut by_place: FxHashMap<(&'static str, &str), Vec<&Target>> = FxHashMap::default();
        for target in targets {
            let (collection, namespace) = match &target.subject {
                Subject::Task(key) | Subject::Logs(key) => (schema::TASKS, &key.0),
                Subject::Agent(key) => (schema::AGENTS, &key.0),
                Subject::Pipeline(key) => (schema::PIPELINES, &key.0),
                Subject::Template(key) => (schema::TEMPLATES, &key.0),
                Subject::Artifact(key) => (schema::ARTIFACTS, &key.0),
                Subject::Key(key) => (schema::API_KEYS, &key.0),
                Subject::Idempotency(key) => (schema::IDEMPOTENCY, &key.0),
                Subject::Operation(key) => (schema::OPERATIONS, &key.0),
                Subject::Sample(key) => (schema::SAMPLES, &key.0),
            };
            by_place
                .entry((collection, namespace.as_str()))
                .or_default()
                .push(target);
        }
        for ((collection, _), targets) in by_place {
            let (field, namespace, ids) = place(&targets);
            let query = read::by_ids(collection, field, namespace, ids.iter().map(AsRef::as_ref));
            match collection {
                schema::TASKS => {
                    let query =
                        query.without(&["parameters", "parameters_json", "result", "result_json"]);
                    let documents = mongo.find(&query).await?;
                    for task in mongo
                        .decode(&documents, |raw, shelf| task::decode(raw, shelf))
                        .await?
                    {
                        let key = (task.namespace.clone(), task.id.clone());
                        found.insert(Subject::Task(key.clone()), task.revision);
                        found.insert(Subject::Logs(key.clone()), task.revision);
                        present.tasks.insert(key, Arc::new(task));
                    }
                }
                schema::AGENTS => {
                    let documents = mongo.find(&query).await?;
                    for agent in mongo
                        .decode(&documents, |raw, shelf| agent::decode(raw, shelf))
                        .await?
                    {
                        let key = (agent.namespace.clone(), agent.id.clone());
                        found.insert(Subject::Agent(key.clone()), agent.revision);
                        present.agents.insert(key, Arc::new(agent));
                    }
                }
                schema::PIPELINES => {
                    let documents = mongo.find(&query).await?;
                    for pipeline in mongo
                        .decode(&documents, |raw, shelf| pipeline::decode(raw, shelf))
                        .await?
                    {
                        let key = (pipeline.namespace.clone(), pipeline.id.clone());
                        found.insert(Subject::Pipeline(key.clone()), pipeline.revision);
                        present.pipelines.insert(key, Arc::new(pipeline));
                    }
                }
                schema::IDEMPOTENCY => {
                    let now = mongo.now();
                    let documents = mongo.find(&query).await?;
                    for record in mongo
                        .decode(&documents, |raw, shelf| {
                            small::decode_idempotency(raw, shelf)
                        })
                        .await?
                    {
                        if record.expires_at > now {
                            found.insert(Subject::Idempotency((record.namespace, record.key)), 1);
                        }
                    }
                }
                schema::TEMPLATES => {
                    for target in targets {
                        let Subject::Template(key) = &target.subject else {
                            continue;
                        };
                        let newest = read::template(&key.0, &key.1, None).only(&["version"]);
                        let version =
                            mongo.find(&newest).await?.first().and_then(|found| {
                                Reader::new(found).ok()?.int::<u64>("version").ok()
                            });
                        found.insert(target.subject.clone(), version.unwrap_or(0));
                    }
                }
                _ => {
                    let documents = mongo.find(&query.only(&[field, "revision"])).await?;
                    let mut revisions: FxHashMap<&str, u64> = FxHashMap::default();
                    for document in &documents {
                        let reader = Reader::new(document)?;
                        // What never changes has no revision, and is at its first.
                        let revision = reader.int_opt("revision")?.unwrap_or(1);
                        revisions.insert(reader.text(field)?, revision);
                    }
                    for target in targets {
                        let revision = revisions.get(&*id_of(target)).copied();
                        found.insert(target.subject.clone(), revision.unwrap_or(0));
                    }
                }
            }
        }
        Ok(())
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
        self.store_large(std::mem::take(&mut group.large)).await?;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => committer.mongo.client().start_session().await?,
        };
        let mut txn = Txn::begin(committer.mongo.db(), &mut session).await?;
        match self.statements(&mut txn, &mut group).await {
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

    /// Everything between the beginning and the commit.
    async fn statements(
        &self,
        txn: &mut Txn<'_>,
        group: &mut Group,
    ) -> std::result::Result<Done, Failed> {
        let now = self.committer.mongo.now();
        let waits = group.beginners.resolve(txn, &group.statuses).await?;
        group.write_tasks(&waits, now);
        for (namespace, key) in &group.forgotten {
            let filter = doc! {
                "namespace": namespace.as_str(), "key": key,
                "expires_at": { "$lte": DateTime::from_millis(now.as_ms()) },
            };
            txn.delete_any(schema::IDEMPOTENCY, filter).await?;
        }
        for (collection, documents) in std::mem::take(&mut group.inserts) {
            txn.insert(collection, documents).await?;
        }
        for (collection, statements) in std::mem::take(&mut group.updates) {
            txn.update(collection, statements).await?;
        }
        for (collection, filters) in std::mem::take(&mut group.deletes) {
            txn.delete(collection, filters).await?;
        }
        self.write_logs(txn, group).await?;
        let mut told = Vec::new();
        if !group.ended.is_empty() {
            told = waits::tell(txn, &group.ended, now).await?;
        }
        if !group.unsettled.is_empty() {
            waits::settle(txn, &group.unsettled, now).await?;
        }
        let counts = group.counts.statements(self.shard);
        if !counts.is_empty() {
            txn.update_any(schema::TASK_COUNTS, counts).await?;
        }
        let blocks = self
            .write_events(txn, std::mem::take(&mut group.events))
            .await?;
        let mut changes = std::mem::take(&mut group.changes);
        let tasks = self.task_changes(txn, group, told, &mut changes).await?;
        for pipeline in &group.pipelines {
            changes.push(Change::Pipeline {
                new: pipeline.clone(),
            });
        }
        Ok(Done {
            changes,
            blocks,
            tasks,
        })
    }

    /// The changes of tasks, and those of tasks that were only told that another ended.
    async fn task_changes(
        &self,
        txn: &mut Txn<'_>,
        group: &Group,
        told: Vec<Key<TaskId>>,
        changes: &mut Vec<Change>,
    ) -> std::result::Result<Vec<Arc<mcpanel_domain::task::Task>>, Failed> {
        let waiting = group
            .tasks
            .iter()
            .filter(|write| !write.new.dependencies.is_empty() && !write.new.status().is_terminal())
            .map(|write| (write.new.namespace.clone(), write.new.id.clone()));
        let look: Vec<Key<TaskId>> = waiting.chain(told.iter().cloned()).collect();
        let mut looked: FxHashMap<Key<TaskId>, RawDocumentBuf> = FxHashMap::default();
        for (namespace, ids) in waits::by_namespace(look) {
            let query = read::by_ids(
                schema::TASKS,
                "task_id",
                &namespace,
                ids.iter().map(TaskId::as_str),
            )
            .without(&["parameters", "parameters_json", "result", "result_json"]);
            for document in txn.find(&query).await? {
                if let Some(id) = document
                    .get_str("task_id")
                    .ok()
                    .and_then(|id| TaskId::parse(id).ok())
                {
                    looked.insert((namespace.clone(), id), document);
                }
            }
        }
        let mut tasks = Vec::with_capacity(group.tasks.len());
        for write in &group.tasks {
            let key = (write.new.namespace.clone(), write.new.id.clone());
            let blocked = looked
                .remove(&key)
                .is_some_and(|document| task::is_blocked(&document));
            tasks.push(write.new.clone());
            changes.push(Change::Task {
                old: write.old.clone(),
                new: write.new.clone(),
                blocked,
            });
        }
        for document in looked.into_values() {
            // Large parts are not needed by those who follow; one that cannot be read is theirs to find.
            if let Ok(task) = task::decode(&document, &Shelf::default()) {
                let task = Arc::new(task);
                changes.push(Change::Task {
                    old: Some(task.clone()),
                    new: task,
                    blocked: task::is_blocked(&document),
                });
            }
        }
        Ok(tasks)
    }

    async fn write_logs(
        &self,
        txn: &mut Txn<'_>,
        group: &Group,
    ) -> std::result::Result<(), Failed> {
        for ((namespace, id), lines) in &group.logs {
            let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
            let filter = doc! { "namespace": namespace.as_str(), "task_id": id.as_str() };
            let change = doc! { "$inc": { task::derived::LOG_LINES: long(count) } };
            let Some(task) = txn.change_one(schema::TASKS, filter, change).await? else {
                return Err(Failed::Raced("its task is not there"));
            };
            let last = crate::mongo::number(&task, task::derived::LOG_LINES).unwrap_or_default();
            if lines.is_empty() {
                continue;
            }
            let last = u64::try_from(last).unwrap_or(0);
            let fields = small::encode_lines(namespace, id, last - count + 1, lines);
            txn.insert(schema::TASK_LOGS, vec![fields.into_raw()])
                .await?;
            let kept = mcpanel_domain::limits::LOG_LINES_KEPT;
            if last > kept {
                let filter = doc! {
                    "namespace": namespace.as_str(), "task_id": id.as_str(),
                    "last": { "$lte": long(last - kept) },
                };
                txn.delete_any(schema::TASK_LOGS, filter).await?;
            }
        }
        Ok(())
    }

    async fn write_events(
        &self,
        txn: &mut Txn<'_>,
        events: Vec<Event>,
    ) -> std::result::Result<Vec<(ObjectId, Vec<Event>)>, Failed> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let mut blocks = Vec::new();
        let mut statements = Vec::new();
        for part in events.chunks(BLOCK_EVENTS_MAX) {
            let id = ObjectId::new();
            let mut fields = Fields::new();
            fields.put("waits", true);
            fields.put("count", long(u64::try_from(part.len()).unwrap_or(u64::MAX)));
            fields.put_all("events", part.iter().map(event::encode));
            // The cluster's own time: a block that another was caused by has an earlier one, whichever
            // instances wrote them.
            let order = rawdoc! { "$set": { "order": "$$CLUSTER_TIME" } };
            let block = rawdoc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", { "$literal": fields.into_raw() }] } };
            statements.push(rawdoc! { "q": { "_id": id }, "u": [block, order], "upsert": true });
            blocks.push((id, part.to_vec()));
        }
        txn.update_any(schema::EVENT_BLOCKS, statements).await?;
        Ok(blocks)
    }

    /// Large values are found by what they hold: storing one that is there already changes nothing, and one
    /// whose transaction does not come about harms nobody.
    async fn store_large(&self, large: Vec<Large>) -> std::result::Result<(), Failed> {
        for value in large {
            for (chunk, bytes) in value
                .payload
                .as_str()
                .as_bytes()
                .chunks(CHUNK_BYTES)
                .enumerate()
            {
                let data = Binary {
                    subtype: BinarySubtype::Generic,
                    bytes: bytes.to_vec(),
                };
                let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
                let document =
                    rawdoc! { "sha256": value.sha256.as_str(), "chunk": chunk, "data": data };
                let stored = self
                    .committer
                    .mongo
                    .raw(schema::PAYLOADS)
                    .insert_one(document)
                    .await;
                match stored.map_err(Failed::from) {
                    Ok(_) | Err(Failed::Raced(_)) => {}
                    Err(failed) => return Err(failed),
                }
            }
        }
        Ok(())
    }

    /// Remembers, tells followers, and answers when the events have their numbers.
    async fn finish(&self, jobs: Vec<Job>, done: Done) {
        let committer = &self.committer;
        committer.transactions.fetch_add(1, Ordering::Relaxed);
        let count = u64::try_from(jobs.len()).unwrap_or(u64::MAX);
        committer.commits.fetch_add(count, Ordering::Relaxed);
        for task in &done.tasks {
            committer.heads.put_task(task);
        }
        for change in &done.changes {
            match change {
                Change::Agent {
                    new: Some(agent), ..
                } => committer.heads.put_agent(agent),
                Change::Agent { namespace, id, .. } => {
                    committer
                        .heads
                        .forget_agent(&(namespace.clone(), id.clone()));
                }
                Change::Pipeline { new } => committer.heads.put_pipeline(new),
                Change::Task { .. } => {}
            }
        }
        let numbers: Vec<oneshot::Receiver<u64>> = done
            .blocks
            .into_iter()
            .map(|(id, events)| committer.sequencer.expect(id, events))
            .collect();
        let told = committer.followers.apply(&done.changes);
        if tokio::time::timeout(FOLLOW_PATIENCE, told).await.is_err() {
            tracing::warn!("followers took too long over a commit's changes");
        }
        if numbers.is_empty() {
            let last_seq = committer.sequencer.last();
            for job in jobs {
                answer(job.reply, Ok(Receipt { last_seq }));
            }
            return;
        }
        let sequencer = committer.sequencer.clone();
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
                answer(job.reply, Ok(Receipt { last_seq }));
            }
        });
    }
}

/// The field, namespace and ids of targets of one collection and namespace.
fn place<'t>(
    targets: &[&'t Target],
) -> (
    &'static str,
    &'t mcpanel_domain::Namespace,
    Vec<Cow<'t, str>>,
) {
    let mut ids = Vec::with_capacity(targets.len());
    let mut found = None;
    for target in targets {
        ids.push(id_of(target));
        found = Some(match &target.subject {
            Subject::Task(key) | Subject::Logs(key) => ("task_id", &key.0),
            Subject::Agent(key) => ("agent_id", &key.0),
            Subject::Pipeline(key) => ("pipeline_id", &key.0),
            Subject::Template(key) => ("template_id", &key.0),
            Subject::Artifact(key) => ("artifact_id", &key.0),
            Subject::Key(key) => ("key_id", &key.0),
            Subject::Idempotency(key) => ("key", &key.0),
            Subject::Operation(key) => ("operation_id", &key.0),
            Subject::Sample(key) => ("sample_id", &key.0),
        });
    }
    let (field, namespace) = found.expect("a place is made by its first target");
    (field, namespace, ids)
}

fn id_of(target: &Target) -> Cow<'_, str> {
    Cow::Borrowed(match &target.subject {
        Subject::Task(key) | Subject::Logs(key) => key.1.as_str(),
        Subject::Agent(key) => key.1.as_str(),
        Subject::Pipeline(key) => key.1.as_str(),
        Subject::Template(key) => key.1.as_str(),
        Subject::Artifact(key) => key.1.as_str(),
        Subject::Key(key) => key.1.as_str(),
        Subject::Idempotency(key) => key.1.as_str(),
        Subject::Operation(key) => key.1.as_str(),
        Subject::Sample(key) => return Cow::Owned(key.1.to_string()),
    })
}

/// Whoever asked may have gone away.
fn answer(reply: oneshot::Sender<Result<Receipt>>, outcome: Result<Receipt>) {
    let _ = reply.send(outcome);
}

/// Whether another try may meet a healthy server.
fn is_passing(error: &mongodb::error::Error) -> bool {
    matches!(unavailable(error), Error::Unavailable { .. })
        && !matches!(
            error.kind.as_ref(),
            mongodb::error::ErrorKind::InvalidArgument { .. }
                | mongodb::error::ErrorKind::Authentication { .. }
        )
        && !is_refusal(error)
}

/// Whether the server said no to what was asked, rather than being away.
fn is_refusal(error: &mongodb::error::Error) -> bool {
    matches!(error.kind.as_ref(), mongodb::error::ErrorKind::Command(_))
        && !error.contains_label(mongodb::error::TRANSIENT_TRANSACTION_ERROR)
        && !error.contains_label(mongodb::error::RETRYABLE_WRITE_ERROR)
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Raced(why) => Self::Overloaded {
                what: format!("too many writers want the same document: {why}"),
            },
            Failed::Transient(error) | Failed::Hard(error) => unavailable(&error),
            Failed::Refused(what) => Self::Overloaded { what },
            Failed::Unknown(error) => Self::Unavailable {
                reason: format!(
                    "MongoDB went away in the middle; whether this was written shows when it is read again ({})",
                    error.kind
                ),
            },
        }
    }
}
