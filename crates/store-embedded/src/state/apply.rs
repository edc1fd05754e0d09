//! Taking accepted commits into memory.

use std::{collections::BTreeSet, sync::Arc};

use mcpanel_domain::{Payload, TaskId, Timestamp, key::ApiKey, log::Line, task::Task};
use mcpanel_store::{Key, Write, hot::DependencyState};

use super::{Beyond, Fates, State};
use crate::recent::Block;

impl State {
    /// Takes in one accepted commit.
    pub fn apply(&mut self, writes: Vec<Write>, now: Timestamp, beyond: &Beyond, fates: &Fates) {
        for write in writes {
            match write {
                Write::Task {
                    task,
                    parameters,
                    result,
                } => self.apply_task(task, parameters, result, now, beyond, fates),
                Write::Agent(agent) => {
                    self.hot
                        .apply_agent(&agent.namespace, &agent.id, Some(&agent));
                    let key = (agent.namespace.clone(), agent.id.clone());
                    self.active.agents.insert(key, Some(agent));
                }
                Write::DeleteAgent { namespace, id, .. } => {
                    self.hot.apply_agent(&namespace, &id, None);
                    self.active.agents.insert((namespace, id), None);
                }
                Write::Pipeline(pipeline) => {
                    self.hot.apply_pipeline(&pipeline);
                    let key = (pipeline.namespace.clone(), pipeline.id.clone());
                    self.active.counted.insert(key.clone());
                    self.active.pipelines.insert(key, pipeline);
                }
                Write::Template(template) => {
                    let key = (template.namespace.clone(), template.id.clone());
                    self.templates
                        .entry(key.clone())
                        .or_default()
                        .push(template.clone());
                    self.active.templates.entry(key).or_default().push(template);
                }
                Write::Artifact(artifact) => {
                    let key = (artifact.namespace.clone(), artifact.id.clone());
                    self.active.artifacts.insert(key, Some(artifact));
                }
                Write::DeleteArtifact { namespace, id, .. } => {
                    self.active.artifacts.insert((namespace, id), None);
                }
                Write::Key(key) => {
                    self.learn_key(key.clone());
                    let at = (key.namespace.clone(), key.id.clone());
                    self.active.keys.insert(at, key);
                }
                Write::Idempotency(record) => {
                    let key = (record.namespace.clone(), record.key.clone());
                    self.active.idempotency.insert(key, record);
                }
                Write::Logs {
                    namespace,
                    task_id,
                    lines,
                } => self.apply_lines((namespace, task_id), lines, beyond),
                Write::Operation(operation) => {
                    let key = (operation.namespace.clone(), operation.id.clone());
                    if operation.status.is_terminal() {
                        self.running.remove(&key);
                    } else {
                        self.running.insert(key.clone());
                    }
                    self.active.operations.insert(key, Some(operation));
                }
                Write::DeleteOperation { namespace, id, .. } => {
                    let key = (namespace, id);
                    self.running.remove(&key);
                    self.active.operations.insert(key, None);
                }
                Write::Sample(sample) => {
                    let key = (sample.namespace.clone(), sample.minute);
                    self.active.samples.insert(key, sample);
                }
            }
        }
    }

    /// Keeps an API key findable by its id and its hash.
    pub fn learn_key(&mut self, key: Arc<ApiKey>) {
        let at = (key.namespace.clone(), key.id.clone());
        if let Some(old) = self.keys.get(&at) {
            self.keys_by_hash.remove(&old.sha256);
        }
        self.keys_by_hash.insert(key.sha256, at.clone());
        self.keys.insert(at, key);
    }

    /// Takes in the events of a flush.
    pub fn apply_events(&mut self, count: u32, bytes: Vec<u8>) {
        if count > 0 {
            let block = Block::new(self.last_seq + 1, count, bytes);
            self.last_seq = block.last();
            self.active.blocks.push(Arc::new(block));
        }
    }

    fn apply_task(
        &mut self,
        task: Arc<Task>,
        parameters: Option<Payload>,
        result: Option<Payload>,
        now: Timestamp,
        beyond: &Beyond,
        fates: &Fates,
    ) {
        let key = (task.namespace.clone(), task.id.clone());
        let old = if task.revision == 1 {
            None
        } else {
            self.task(&key).or_else(|| beyond.tasks.get(&key)).cloned()
        };
        if let Some(place) = &task.place {
            let pipeline = (task.namespace.clone(), place.pipeline_id.clone());
            if !self.hot.has_stage_counts(&pipeline)
                && let Some(counts) = beyond.stage_counts.get(&pipeline)
            {
                self.hot.restore_stage_counts(&pipeline, counts);
            }
            self.active.counted.insert(pipeline);
        }
        let ended = task.status().is_terminal();
        let was_live = old.as_ref().is_some_and(|old| !old.status().is_terminal());
        self.hot.apply_task(old.as_deref(), &task, now, &mut |id| {
            let on = (key.0.clone(), id.clone());
            let known = fates.0.get(&on).or_else(|| beyond.dependencies.get(&on));
            known.copied().unwrap_or(DependencyState::Dead)
        });
        self.hot.record_activity(old.as_deref(), &task);
        if ended {
            self.parameters.remove(&key);
        }
        if was_live == ended {
            self.reorder(&key, task.created_at, !ended);
        }
        let created = old.is_none();
        self.active.put_task(key, task, created, parameters, result);
    }

    /// Puts a task among the live ones, or takes it out.
    fn reorder(&mut self, key: &Key<TaskId>, created_at: Timestamp, live: bool) {
        let place = (created_at, key.1.clone());
        match self.order.get_mut(&key.0) {
            Some(order) if live => {
                order.insert(place);
            }
            Some(order) => {
                order.remove(&place);
            }
            None if live => {
                self.order.insert(key.0.clone(), BTreeSet::from([place]));
            }
            None => {}
        }
    }

    fn apply_lines(&mut self, key: Key<TaskId>, lines: Vec<Line>, beyond: &Beyond) {
        // What was read beforehand counts lines of earlier flushes; of this one, memory knows more.
        let earlier = beyond.log_ends.get(&key).copied().unwrap_or(0);
        let end = self.log_end(&key).unwrap_or(0).max(earlier);
        let kept = self.active.logs.entry(key).or_default();
        kept.extend(lines.into_iter().zip(end + 1..).map(|(mut line, seq)| {
            line.seq = seq;
            line
        }));
        let most = usize::try_from(mcpanel_domain::limits::LOG_LINES_KEPT).unwrap_or(usize::MAX);
        let excess = kept.len().saturating_sub(most);
        kept.drain(..excess);
    }
}
