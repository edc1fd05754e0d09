//! Documents as they were last read or written here, so that most commits need not read what they
//! replace. They are never believed: a commit's filter names the revision, and MongoDB decides.

use std::{hash::Hash, sync::Arc};

use mcpanel_domain::{AgentId, PipelineId, TaskId, agent::Agent, pipeline::Pipeline, task::Task};
use mcpanel_store::Key;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Tasks remembered: a minute of a busy server's work, about 20 MB.
const TASKS_KEPT: usize = 20_000;

/// Agents remembered.
const AGENTS_KEPT: usize = 10_000;

/// Pipelines remembered.
const PIPELINES_KEPT: usize = 1_000;

/// A bounded memory of two generations: when the younger is full it becomes the older, which is forgotten.
struct Recent<K, V> {
    young: FxHashMap<K, V>,
    old: FxHashMap<K, V>,
    max: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    fn new(max: usize) -> Self {
        Self {
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            max,
        }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.max / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

/// What is remembered.
pub struct Heads {
    tasks: Mutex<Recent<Key<TaskId>, Arc<Task>>>,
    agents: Mutex<Recent<Key<AgentId>, Arc<Agent>>>,
    pipelines: Mutex<Recent<Key<PipelineId>, Arc<Pipeline>>>,
}

impl Heads {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            tasks: Mutex::new(Recent::new(TASKS_KEPT)),
            agents: Mutex::new(Recent::new(AGENTS_KEPT)),
            pipelines: Mutex::new(Recent::new(PIPELINES_KEPT)),
        }
    }

    /// A task at this revision, if it is remembered.
    pub fn task(&self, key: &Key<TaskId>, revision: u64) -> Option<Arc<Task>> {
        let tasks = self.tasks.lock();
        tasks
            .get(key)
            .filter(|task| task.revision == revision)
            .cloned()
    }

    /// Whether a task is known to exist.
    pub fn knows_task(&self, key: &Key<TaskId>) -> bool {
        self.tasks.lock().get(key).is_some()
    }

    /// Remembers a task, unless a newer one is.
    pub fn put_task(&self, task: &Arc<Task>) {
        let key = (task.namespace.clone(), task.id.clone());
        let mut tasks = self.tasks.lock();
        if tasks
            .get(&key)
            .is_none_or(|known| known.revision < task.revision)
        {
            tasks.put(key, task.clone());
        }
    }

    /// Forgets a task: it may have changed elsewhere.
    pub fn forget_task(&self, key: &Key<TaskId>) {
        self.tasks.lock().forget(key);
    }

    /// An agent at this revision, if it is remembered.
    pub fn agent(&self, key: &Key<AgentId>, revision: u64) -> Option<Arc<Agent>> {
        let agents = self.agents.lock();
        agents
            .get(key)
            .filter(|agent| agent.revision == revision)
            .cloned()
    }

    /// Remembers an agent.
    pub fn put_agent(&self, agent: &Arc<Agent>) {
        let key = (agent.namespace.clone(), agent.id.clone());
        self.agents.lock().put(key, agent.clone());
    }

    /// Forgets an agent.
    pub fn forget_agent(&self, key: &Key<AgentId>) {
        self.agents.lock().forget(key);
    }

    /// A pipeline at this revision, if it is remembered.
    pub fn pipeline(&self, key: &Key<PipelineId>, revision: u64) -> Option<Arc<Pipeline>> {
        let pipelines = self.pipelines.lock();
        pipelines
            .get(key)
            .filter(|pipeline| pipeline.revision == revision)
            .cloned()
    }

    /// Remembers a pipeline.
    pub fn put_pipeline(&self, pipeline: &Arc<Pipeline>) {
        let key = (pipeline.namespace.clone(), pipeline.id.clone());
        self.pipelines.lock().put(key, pipeline.clone());
    }

    /// Forgets a pipeline.
    pub fn forget_pipeline(&self, key: &Key<PipelineId>) {
        self.pipelines.lock().forget(key);
    }
}
