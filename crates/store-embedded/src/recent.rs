//! What changed since the tables were last written: the content of one log segment, with only the
//! newest revision of each document.

use std::sync::Arc;

use mcpanel_domain::{
    AgentId, ArtifactId, KeyId, Namespace, OperationId, Payload, PipelineId, TaskId, TemplateId,
    Timestamp,
    agent::Agent,
    artifact::Artifact,
    event::Numbered,
    key::ApiKey,
    log::Line,
    operation::Operation,
    pipeline::{Pipeline, StageCounts, Template},
    sample::{Activity, Sample},
    task::Task,
};
use mcpanel_store::{IdempotencyRecord, Key};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::log::read_events;

/// Changes that the tables do not have yet.
#[derive(Default)]
pub struct Recent {
    /// The last flush whose commits are here.
    pub last_frame: u64,
    pub tasks: FxHashMap<Key<TaskId>, RecentTask>,
    pub logs: FxHashMap<Key<TaskId>, Vec<Line>>,
    pub agents: FxHashMap<Key<AgentId>, Option<Arc<Agent>>>,
    pub pipelines: FxHashMap<Key<PipelineId>, Arc<Pipeline>>,
    pub templates: FxHashMap<Key<TemplateId>, Vec<Arc<Template>>>,
    pub artifacts: FxHashMap<Key<ArtifactId>, Option<Arc<Artifact>>>,
    pub keys: FxHashMap<Key<KeyId>, Arc<ApiKey>>,
    pub idempotency: FxHashMap<Key<String>, IdempotencyRecord>,
    pub operations: FxHashMap<Key<OperationId>, Option<Arc<Operation>>>,
    pub samples: FxHashMap<Key<Timestamp>, Arc<Sample>>,
    /// Oldest first, without a gap.
    pub blocks: Vec<Arc<Block>>,
    /// Whose counts changed.
    pub counted: FxHashSet<Key<PipelineId>>,
    /// The counts as they are when this is closed; filled in then.
    pub totals: Vec<(Namespace, [u64; 7])>,
    pub stage_counts: Vec<(Key<PipelineId>, Vec<StageCounts>)>,
    /// What happened in the newest minutes, of the namespaces whose tasks changed.
    pub activities: Vec<(Key<Timestamp>, Activity)>,
}

/// A task that changed.
pub struct RecentTask {
    pub task: Arc<Task>,
    /// It was created here: the tables do not know it.
    pub created: bool,
    pub parameters: Option<Payload>,
    pub result: Option<Payload>,
}

/// The events of one flush.
pub struct Block {
    /// The number of the first.
    pub first: u64,
    /// How many.
    pub count: u32,
    /// Them, one after the other.
    pub bytes: Vec<u8>,
    decoded: Mutex<Option<Arc<[Arc<Numbered>]>>>,
}

impl Recent {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.last_frame == 0
    }

    /// Empties it and keeps its room for the next segment, which will need as much.
    pub fn clear(&mut self) {
        self.last_frame = 0;
        self.tasks.clear();
        self.logs.clear();
        self.agents.clear();
        self.pipelines.clear();
        self.templates.clear();
        self.artifacts.clear();
        self.keys.clear();
        self.idempotency.clear();
        self.operations.clear();
        self.samples.clear();
        self.blocks.clear();
        self.counted.clear();
        self.totals.clear();
        self.stage_counts.clear();
        self.activities.clear();
    }

    /// Takes in a task at its newest revision; `created` when nobody knew it before.
    pub fn put_task(
        &mut self,
        key: Key<TaskId>,
        task: Arc<Task>,
        created: bool,
        parameters: Option<Payload>,
        result: Option<Payload>,
    ) {
        use std::collections::hash_map::Entry;
        match self.tasks.entry(key) {
            Entry::Occupied(mut present) => {
                let present = present.get_mut();
                present.task = task;
                if parameters.is_some() {
                    present.parameters = parameters;
                }
                if result.is_some() {
                    present.result = result;
                }
            }
            Entry::Vacant(vacant) => {
                vacant.insert(RecentTask {
                    task,
                    created,
                    parameters,
                    result,
                });
            }
        }
    }
}

impl Block {
    /// Events as they were encoded for the log.
    pub fn new(first: u64, count: u32, bytes: Vec<u8>) -> Self {
        Self {
            first,
            count,
            bytes,
            decoded: Mutex::new(None),
        }
    }

    /// The number of the last.
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }

    /// The events. Decoded for the first who asks; listeners that follow closely share them.
    /// `None` when the bytes are damaged.
    pub fn events(&self) -> Option<Arc<[Arc<Numbered>]>> {
        let mut decoded = self.decoded.lock();
        if let Some(events) = &*decoded {
            return Some(events.clone());
        }
        let events: Arc<[Arc<Numbered>]> =
            decode_block(self.first, self.count, &self.bytes)?.into();
        *decoded = Some(events.clone());
        Some(events)
    }
}

/// Events with consecutive numbers from `first` on.
pub fn decode_block(first: u64, count: u32, bytes: &[u8]) -> Option<Vec<Arc<Numbered>>> {
    Some(
        read_events(bytes, count)?
            .into_iter()
            .zip(first..)
            .map(|(event, seq)| Arc::new(Numbered { seq, event }))
            .collect(),
    )
}
