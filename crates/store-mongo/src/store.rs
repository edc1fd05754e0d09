//! The store itself: the port, answered from MongoDB, and from Redis where it is there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, OperationId, PipelineId, TaskId, TemplateId, Timestamp,
    agent::Agent,
    artifact::Artifact,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, StageCounts, Template},
    sample::{Activity, Sample},
    task::Task,
};
use mcpanel_store::{
    Commit, Due, Grants, Held, IdempotencyRecord, Offer, Receipt, Result, Store, Write,
    query::{
        ArtifactFilter, EventFilter, Events, Health, Listing, OperationFilter, Page, Payloads,
        PipelineFilter, Queue as TypeQueue, TaskFilter, Totals,
    },
};
use parking_lot::Mutex;
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

use crate::{
    activity::Activities,
    answer,
    cache::{Brief, Hits, Lasting},
    commit::{self, Committer, Figures, unused},
    error::OpenError,
    follow::Followers,
    mongo::Mongo,
    project::ReadyQueue,
    ready::Queue,
    sequence::Sequencer,
    sessions,
    settings::Settings,
    shared::{Ledger, Shared},
    source::Source,
    timers::Timers,
};

/// How often what happened is written down.
const ACTIVITY_EVERY: Duration = Duration::from_secs(1);

/// How often waiting claims look for tasks of other instances when Redis tells them nothing.
const WAKE_EVERY: Duration = Duration::from_secs(1);

/// How often the clock is compared with MongoDB's.
const CLOCK_EVERY: Duration = Duration::from_secs(30);

/// How long a page of events waits for those whose numbers are known and which are on their way through Redis: some
/// milliseconds, usually. After that MongoDB is asked.
const ARRIVAL_PATIENCE: Duration = Duration::from_millis(50);

/// How long MongoDB may take to show that it is there, before the store says that it takes no changes. It usually
/// takes a millisecond, and whoever asks gives up after a few seconds.
const PING_PATIENCE: Duration = Duration::from_secs(1);

/// How long a closing store waits for what is being written.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Versions of templates that are kept in memory.
const TEMPLATES_CACHED: usize = 1_000;

/// API keys that are kept in memory, and for how long each is believed: so long does a key that was revoked
/// through another instance still work.
const KEYS_CACHED: usize = 10_000;
const KEYS_BELIEVED: Duration = Duration::from_secs(1);

/// A store over MongoDB, one of any number of equal ones over the same database.
pub struct MongoStore {
    pub(crate) mongo: Mongo,
    pub(crate) committer: Arc<Committer>,
    pub(crate) sequencer: Arc<Sequencer>,
    queue: Arc<Queue>,
    timers: Arc<Timers>,
    activities: Arc<Activities>,
    pub(crate) live_pipelines: answer::LivePipelines,
    shared: Option<Arc<Shared>>,
    ledger: Option<Arc<Ledger>>,
    templates: Lasting<Template>,
    keys: Brief<[u8; 32], Arc<ApiKey>>,
    /// The oldest event that MongoDB kept when it was last asked; it only grows.
    first_kept: AtomicU64,
    lanes: Mutex<JoinSet<()>>,
    /// The one that numbers events.
    numbering: Mutex<JoinSet<()>>,
    tasks: Mutex<JoinSet<()>>,
}

impl MongoStore {
    /// Connects, brings the schema up to date, and begins to work. With `shared`, claims and wake-ups go
    /// through Redis as long as it is there.
    pub async fn open(
        settings: Settings,
        shared: Option<Arc<Shared>>,
    ) -> std::result::Result<Arc<Self>, OpenError> {
        let mongo = Mongo::connect(&settings).await?;
        mongo.clock().synchronise(mongo.db()).await;
        let identity = answer::identity(&mongo)
            .await
            .map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let followers = Arc::new(Followers::default());
        let sequencer = Sequencer::new(mongo.clone(), followers.clone(), settings.events_kept)
            .await
            .map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let sequencer = Arc::new(sequencer);
        let queue = Arc::new(Queue::new(mongo.clone()));
        let activities = Arc::new(Activities::new(mongo.clone()));
        followers.add(queue.clone());
        followers.add(activities.clone());
        let mut ledger = None;
        if let Some(shared) = &shared {
            let key = answer::lease_key(&mongo)
                .await
                .map_err(|error| OpenError::Unavailable(error.to_string()))?;
            let own = Arc::new(Ledger::new(shared.clone(), key));
            followers.add(own.clone());
            followers.add(shared.clone());
            ledger = Some(own);
        }
        let committer = Arc::new(Committer::new(mongo.clone(), sequencer.clone(), followers));
        let store = Arc::new(Self {
            timers: Arc::new(Timers::new(mongo.clone())),
            mongo,
            committer,
            sequencer,
            queue,
            activities,
            live_pipelines: answer::LivePipelines::default(),
            templates: match &shared {
                Some(shared) => shared.cache(format!("template:{identity}"), TEMPLATES_CACHED),
                None => Lasting::new("template", TEMPLATES_CACHED, None),
            },
            keys: Brief::new(KEYS_CACHED, KEYS_BELIEVED),
            first_kept: AtomicU64::new(0),
            shared,
            ledger,
            lanes: Mutex::new(JoinSet::new()),
            numbering: Mutex::new(JoinSet::new()),
            tasks: Mutex::new(JoinSet::new()),
        });
        store.begin(settings.lanes);
        if let Some(shared) = &store.shared {
            let own: Arc<dyn Source> = store.clone();
            shared.attach(Arc::downgrade(&own)).await;
        }
        Ok(store)
    }

    fn begin(&self, lanes: usize) {
        let mut running = self.lanes.lock();
        for _ in 0..lanes.max(1) {
            running.spawn(commit::run(self.committer.clone()));
        }
        drop(running);
        let mut tasks = self.tasks.lock();
        self.numbering.lock().spawn(self.sequencer.clone().run());
        let mongo = self.mongo.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(sessions::REFRESH).await;
                mongo.sessions().refresh().await;
            }
        });
        let activities = self.activities.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(ACTIVITY_EVERY).await;
                if let Err(error) = activities.flush().await {
                    tracing::debug!(%error, "what happened could not be written down, which is tried again");
                }
            }
        });
        let queue = self.queue.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(WAKE_EVERY).await;
                queue.look_for_others().await;
            }
        });
        if let Some(shared) = &self.shared {
            // Numbers that other instances gave are heard of here before the sequencer looks.
            let (mut heard, sequencer) = (shared.events().watch(), self.sequencer.clone());
            tasks.spawn(async move {
                while heard.changed().await.is_ok() {
                    let last = *heard.borrow_and_update();
                    sequencer.advance(last);
                }
            });
        }
        let mongo = self.mongo.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(unused::LOOK_EVERY).await;
                match unused::forget_daily(&mongo).await {
                    Ok(0) => {}
                    Ok(values) => {
                        tracing::info!(values, "deleted large values that nothing refers to")
                    }
                    Err(error) => tracing::warn!(%error, "unused large values stay for now"),
                }
            }
        });
        let mongo = self.mongo.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(CLOCK_EVERY).await;
                mongo.clock().synchronise(mongo.db()).await;
            }
        });
    }

    /// Finishes what was handed in, and stops. Nothing is taken after this.
    pub async fn close(&self) {
        self.committer.close();
        let mut lanes = std::mem::take(&mut *self.lanes.lock());
        let finish = async { while lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_PATIENCE, finish).await.is_err() {
            tracing::warn!("some commits were still being written when the store was closed");
        }
        if let Err(error) = self.activities.flush().await {
            tracing::warn!(%error, "what happened in the last second could not be written down");
        }
        if let Err(error) = self.timers.flush().await {
            tracing::debug!(%error, "timers could not be put off");
        }
        // Ended in the middle of a transaction, it would leave that open for a minute.
        self.sequencer.close();
        let mut numbering = std::mem::take(&mut *self.numbering.lock());
        let finish = async { while numbering.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_PATIENCE, finish).await.is_err() {
            tracing::warn!("some events have no number yet; another instance gives it");
        }
        self.tasks.lock().abort_all();
        self.mongo.sessions().forget().await;
        if let Some(shared) = &self.shared {
            shared.close().await;
        }
    }

    /// Stops at once, in the middle of whatever is going on, as a killed process does. For tests of what others
    /// make of it.
    #[doc(hidden)]
    pub fn kill(&self) {
        self.lanes.lock().abort_all();
        self.numbering.lock().abort_all();
        self.tasks.lock().abort_all();
    }

    /// The time that all instances share.
    pub fn now(&self) -> Timestamp {
        self.mongo.now()
    }

    /// How far this machine's clock is behind MongoDB's, in milliseconds.
    pub fn clock_offset_ms(&self) -> i64 {
        self.mongo.clock().offset_ms()
    }

    /// Deletes large values that were last used before a moment and that no document refers to; tells how many. The store
    /// does so by itself once a day.
    pub async fn forget_unused_values(&self, before: Timestamp) -> Result<u64> {
        unused::forget(&self.mongo, before).await
    }

    /// How well commits are merged.
    pub fn figures(&self) -> Figures {
        self.committer.figures()
    }

    /// The part in Redis, if there is one.
    pub fn shared(&self) -> Option<&Arc<Shared>> {
        self.shared.as_ref()
    }

    /// How often the caches knew: templates, API keys.
    pub fn cache_hits(&self) -> [(&'static str, Hits); 2] {
        [
            ("templates", self.templates.hits()),
            ("api_keys", self.keys.hits()),
        ]
    }

    /// Events that are in memory because Redis told of them, if there are any above `after`.
    async fn recent_events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Option<Events> {
        let first_kept = self.first_kept.load(Ordering::Relaxed);
        let stream = self.shared.as_ref()?.events();
        let page = after.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX));
        let wanted = page.min(self.sequencer.last());
        if stream.last() < wanted {
            if !stream.is_live() {
                return None;
            }
            let mut arriving = stream.watch();
            let arrived = arriving.wait_for(|last| *last >= wanted);
            tokio::time::timeout(ARRIVAL_PATIENCE, arrived)
                .await
                .ok()?
                .ok()?;
        }
        let mut events = stream.recent(after, limit)?;
        let scanned_to = events.last()?.seq;
        if first_kept == 0 {
            return None;
        }
        events.retain(|each| each.event.namespace == *namespace && filter.matches(each));
        self.sequencer.advance(scanned_to);
        Some(Events {
            events,
            scanned_to,
            last: self.sequencer.last(),
            first_kept,
        })
    }

    /// How many tasks the offer's session holds.
    async fn held(&self, offer: &Offer) -> Result<u32> {
        let given = self.ledger.as_ref().map_or(0, |ledger| {
            ledger.given_to(&offer.namespace, &offer.session)
        });
        let held = answer::held_by_session(&self.mongo, offer).await?;
        Ok(held.saturating_add(given))
    }

    /// Sets tasks aside in Redis, if it can be asked. Its count of the session's leases is believed while nothing
    /// is known to have been missed; otherwise MongoDB is asked too.
    async fn take_shared(&self, offer: &Offer, now: Timestamp) -> Option<Vec<TaskId>> {
        let shared = self.shared.as_ref()?;
        let room = if shared.is_steady() {
            offer.concurrency
        } else {
            let held = answer::held_by_session(&self.mongo, offer).await.ok()?;
            offer.concurrency.saturating_sub(held)
        };
        ReadyQueue::take(&**shared, offer, room, now).await.ok()
    }

    /// What was set aside, as it is now; what is not ready any more is let go.
    async fn claimed(
        &self,
        offer: &Offer,
        ids: Vec<TaskId>,
        now: Timestamp,
        from_shared: bool,
    ) -> Result<Vec<Arc<Task>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let standing = answer::standing(&self.mongo, &offer.namespace, &ids).await?;
        let ready: Vec<Arc<Task>> = standing
            .into_iter()
            .flatten()
            .filter(|(task, blocked)| !blocked && task.ready_at().is_some_and(|at| at <= now))
            .map(|(task, _)| task)
            // A queue that forgot whom it was given to offers it again.
            .filter(|task| {
                !self
                    .ledger
                    .as_ref()
                    .is_some_and(|ledger| ledger.has_given(task))
            })
            .collect();
        for task in &ready {
            self.committer.heads().put_task(task);
        }
        match &self.shared {
            Some(shared) if from_shared => {
                let gone: Vec<TaskId> = ids
                    .into_iter()
                    .filter(|id| !ready.iter().any(|task| task.id == *id))
                    .collect();
                if !gone.is_empty() {
                    ReadyQueue::forget(&**shared, &offer.namespace, &gone);
                }
            }
            _ => self.queue.confirm(&offer.namespace, &ids, &ready),
        }
        Ok(ready)
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        let keys: Vec<[u8; 32]> = commit
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::Key(key) => Some(key.sha256),
                _ => None,
            })
            .collect();
        let receipt = self.committer.commit(commit).await;
        for key in keys {
            self.keys.forget(&key);
        }
        receipt
    }

    async fn tasks(&self, namespace: &Namespace, ids: &[TaskId]) -> Result<Vec<Option<Arc<Task>>>> {
        let standing = answer::standing(&self.mongo, namespace, ids).await?;
        let heads = self.committer.heads();
        Ok(standing
            .into_iter()
            .map(|found| {
                let (task, _) = found?;
                heads.put_task(&task);
                Some(task)
            })
            .collect())
    }

    async fn payloads(
        &self,
        namespace: &Namespace,
        ids: &[TaskId],
    ) -> Result<Vec<Option<Payloads>>> {
        answer::payloads(&self.mongo, namespace, ids).await
    }

    async fn list_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Task>>> {
        answer::list_tasks(&self.mongo, namespace, filter, page).await
    }

    async fn count_tasks(
        &self,
        namespace: &Namespace,
        filter: &TaskFilter,
        cap: u64,
    ) -> Result<u64> {
        if filter.names_statuses_only() {
            let counts = answer::task_counts(&self.mongo, namespace).await?;
            let totals = Totals {
                tasks: counts,
                ready: 0,
            };
            return Ok(totals.of(&filter.statuses).min(cap));
        }
        answer::count_tasks(&self.mongo, namespace, filter, cap).await
    }

    async fn dependents(&self, namespace: &Namespace, id: &TaskId) -> Result<Vec<TaskId>> {
        answer::dependents(&self.mongo, namespace, id).await
    }

    async fn logs(
        &self,
        namespace: &Namespace,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        answer::logs(&self.mongo, namespace, id, after, limit).await
    }

    async fn totals(&self, namespace: &Namespace) -> Result<Totals> {
        let tasks = answer::task_counts(&self.mongo, namespace).await?;
        let shared = match &self.shared {
            Some(shared) => ReadyQueue::ready(&**shared, namespace).await.ok(),
            None => None,
        };
        let ready = match shared {
            Some(ready) => ready,
            None => self.queue.ready(namespace).await?,
        };
        Ok(Totals { tasks, ready })
    }

    async fn queues(&self, namespace: &Namespace) -> Result<Vec<TypeQueue>> {
        answer::queues(&self.mongo, namespace).await
    }

    async fn activity(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity> {
        self.activities.of(namespace, minute).await
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        answer::namespaces(&self.mongo).await
    }

    async fn samples(
        &self,
        namespace: &Namespace,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<Sample>>> {
        answer::samples(&self.mongo, namespace, from, to).await
    }

    async fn purge_samples(&self, before: Timestamp) -> Result<u64> {
        answer::purge_samples(&self.mongo, before).await
    }

    async fn take_ready(&self, offer: &Offer, now: Timestamp) -> Result<Vec<Arc<Task>>> {
        if offer.max == 0 {
            return Ok(Vec::new());
        }
        if let Some(ids) = self.take_shared(offer, now).await {
            return self.claimed(offer, ids, now, true).await;
        }
        let held = self.held(offer).await?;
        if held >= offer.concurrency {
            return Ok(Vec::new());
        }
        let given = |id: &TaskId| {
            let ledger = self.ledger.as_ref();
            ledger.is_some_and(|ledger| ledger.may_have_given(&offer.namespace, id))
        };
        let ids = self.queue.take(offer, held, now, &given).await?;
        self.claimed(offer, ids, now, false).await
    }

    fn unreserve(&self, namespace: &Namespace, tasks: &[Arc<Task>]) {
        if let Some(shared) = &self.shared {
            ReadyQueue::give_back(&**shared, namespace, tasks);
        }
        self.queue.give_back(namespace, tasks);
    }

    fn grants(&self) -> Option<&dyn Grants> {
        self.ledger.as_deref().map(|ledger| ledger as &dyn Grants)
    }

    fn wait_ready(&self, offer: &Offer) -> oneshot::Receiver<()> {
        match &self.shared {
            Some(shared) => ReadyQueue::wait(&**shared, offer),
            None => self.queue.wait(offer),
        }
    }

    async fn ready_ahead(&self, namespace: &Namespace, id: &TaskId) -> Result<Option<u64>> {
        let ids = std::slice::from_ref(id);
        let found = answer::standing(&self.mongo, namespace, ids).await?;
        let Some((task, blocked)) = found.into_iter().flatten().next() else {
            return Ok(None);
        };
        if blocked || task.ready_at().is_none() {
            return Ok(None);
        }
        if let Some(shared) = &self.shared
            && let Ok(ahead) = ReadyQueue::ahead(&**shared, &task).await
        {
            return Ok(ahead);
        }
        self.queue.ahead(&task).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        self.queue.promote(now).await?;
        if let Some(shared) = &self.shared {
            shared.promote(now).await;
        }
        self.timers.due(now, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let timers = self.timers.next().await?;
        let later = self.queue.next_later_stored().await?;
        Ok([timers, later].into_iter().flatten().min())
    }

    fn rearm(&self, due: &Due, at: Timestamp) {
        self.timers.put_off(due, at);
    }

    async fn agent(&self, namespace: &Namespace, id: &AgentId) -> Result<Option<Arc<Agent>>> {
        answer::agent(&self.mongo, namespace, id).await
    }

    async fn agents(&self, namespace: &Namespace) -> Result<Vec<Arc<Agent>>> {
        answer::agents(&self.mongo, namespace).await
    }

    async fn leases(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<Held>> {
        answer::leases(&self.mongo, namespace, id).await
    }

    async fn orphaned_leases(&self, limit: usize) -> Result<Vec<(Namespace, Held)>> {
        answer::orphaned_leases(&self.mongo, limit).await
    }

    async fn pipeline(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Option<Arc<Pipeline>>> {
        answer::pipeline(&self.mongo, namespace, id).await
    }

    async fn list_pipelines(
        &self,
        namespace: &Namespace,
        filter: &PipelineFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Pipeline>>> {
        answer::list_pipelines(&self.mongo, namespace, filter, page).await
    }

    async fn stage_counts(
        &self,
        namespace: &Namespace,
        id: &PipelineId,
    ) -> Result<Vec<StageCounts>> {
        answer::stage_counts(&self.mongo, namespace, id).await
    }

    async fn unsettled_pipelines(&self) -> Result<Vec<(Namespace, PipelineId)>> {
        answer::unsettled(&self.mongo, &self.live_pipelines).await
    }

    async fn doomed_tasks(&self, limit: usize) -> Result<Vec<(Namespace, TaskId, TaskId)>> {
        answer::doomed(&self.mongo, limit).await
    }

    async fn template(
        &self,
        namespace: &Namespace,
        id: &TemplateId,
        version: Option<u32>,
    ) -> Result<Option<Arc<Template>>> {
        // Only a named version never changes.
        let Some(number) = version else {
            return answer::template(&self.mongo, namespace, id, None).await;
        };
        let key = format!("{namespace}:{id}:{number}");
        if let Some(template) = self.templates.get(&key).await {
            return Ok(Some(template));
        }
        let found = answer::template(&self.mongo, namespace, id, version).await?;
        if let Some(template) = &found {
            self.templates.put(&key, template).await;
        }
        Ok(found)
    }

    async fn templates(&self, namespace: &Namespace) -> Result<Vec<Arc<Template>>> {
        answer::templates(&self.mongo, namespace).await
    }

    async fn artifact(
        &self,
        namespace: &Namespace,
        id: &ArtifactId,
    ) -> Result<Option<Arc<Artifact>>> {
        answer::artifact(&self.mongo, namespace, id).await
    }

    async fn list_artifacts(
        &self,
        namespace: &Namespace,
        filter: &ArtifactFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Artifact>>> {
        answer::list_artifacts(&self.mongo, namespace, filter, page).await
    }

    async fn key_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        if let Some(key) = self.keys.get(sha256) {
            return Ok(Some(key));
        }
        let found = answer::key_by_hash(&self.mongo, sha256).await?;
        if let Some(key) = &found {
            self.keys.put(*sha256, key.clone());
        }
        Ok(found)
    }

    async fn key(&self, namespace: &Namespace, id: &KeyId) -> Result<Option<Arc<ApiKey>>> {
        answer::key(&self.mongo, namespace, id).await
    }

    async fn keys(&self, namespace: &Namespace) -> Result<Vec<Arc<ApiKey>>> {
        answer::keys(&self.mongo, namespace).await
    }

    async fn idempotency(
        &self,
        namespace: &Namespace,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>> {
        answer::idempotency(&self.mongo, namespace, key).await
    }

    async fn purge_idempotency(&self, now: Timestamp) -> Result<u64> {
        answer::purge_idempotency(&self.mongo, now).await
    }

    async fn operation(
        &self,
        namespace: &Namespace,
        id: &OperationId,
    ) -> Result<Option<Arc<Operation>>> {
        answer::operation(&self.mongo, namespace, id).await
    }

    async fn list_operations(
        &self,
        namespace: &Namespace,
        filter: &OperationFilter,
        page: &Page,
    ) -> Result<Listing<Arc<Operation>>> {
        answer::list_operations(&self.mongo, namespace, filter, page).await
    }

    async fn running_operations(&self, limit: usize) -> Result<Vec<(Namespace, OperationId)>> {
        answer::running_operations(&self.mongo, limit).await
    }

    async fn events(
        &self,
        namespace: &Namespace,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Events> {
        if let Some(events) = self.recent_events(namespace, filter, after, limit).await {
            return Ok(events);
        }
        let last = self.sequencer.last();
        let events = answer::events(&self.mongo, namespace, filter, after, limit, last).await?;
        self.sequencer.advance(events.last);
        self.first_kept
            .fetch_max(events.first_kept, Ordering::Relaxed);
        Ok(events)
    }

    fn watch_events(&self) -> watch::Receiver<u64> {
        self.sequencer.watch()
    }

    async fn health(&self) -> Health {
        let figures = self.figures();
        let ping = self
            .mongo
            .db()
            .run_command(mongodb::bson::doc! { "ping": 1 });
        let read_only = match tokio::time::timeout(PING_PATIENCE, ping.into_future()).await {
            Ok(Ok(_)) => None,
            Ok(Err(_)) => Some("MongoDB has no primary that can be reached".to_owned()),
            Err(_) => Some(format!(
                "MongoDB does not answer within {} ms",
                PING_PATIENCE.as_millis()
            )),
        };
        Health {
            engine: "mongodb",
            size_bytes: match &read_only {
                None => self.mongo.size_bytes().await,
                Some(_) => None,
            },
            read_only,
            flushes: figures.transactions,
            commits: figures.commits,
        }
    }
}
