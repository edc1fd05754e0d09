//! What must hold of the store as a whole: after a crash, at rest, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use mcpanel_domain::{
    Namespace, TaskId, Timestamp,
    artifact::{Artifact, CHUNK_ROLE},
    event::Kind,
    pipeline::{Mode, Pipeline, Stage, Status as PipelineStatus},
    task::{Status, Task},
};
use mcpanel_store::{
    Offer, Store,
    memory::MemoryStore,
    query::{ArtifactFilter, EventFilter, OperationFilter, Page, PipelineFilter, TaskFilter},
};

use super::{Observer, Promise};
use crate::{clock::Clock, executor::at_once};

/// More documents than any run makes.
const ALL: usize = 100_000;

/// How late a timer may be armed: what the control layer allows itself after a store that failed.
const TIMER_SLACK_MS: u64 = 1_000;

fn everything() -> Page {
    Page::first(ALL)
}

impl Observer {
    /// The server crashed; a new one finds this. What was not acknowledged may be there or not.
    pub fn restarted(&mut self, store: &MemoryStore, namespace: &Namespace) {
        let tasks = at_once(store.list_tasks(namespace, &TaskFilter::default(), &everything()));
        let agents = at_once(store.agents(namespace));
        let pipelines =
            at_once(store.list_pipelines(namespace, &PipelineFilter::default(), &everything()));
        let artifacts =
            at_once(store.list_artifacts(namespace, &ArtifactFilter::default(), &everything()));
        let operations =
            at_once(store.list_operations(namespace, &OperationFilter::default(), &everything()));
        let (Ok(tasks), Ok(agents), Ok(pipelines), Ok(artifacts), Ok(operations)) =
            (tasks, agents, pipelines, artifacts, operations)
        else {
            self.blame(Promise::NothingAcknowledgedIsLost, || {
                "the restarted store cannot be read".to_owned()
            });
            return;
        };
        self.tasks = tasks
            .items
            .into_iter()
            .map(|each| (each.id.clone(), each))
            .collect();
        self.agents = agents
            .into_iter()
            .map(|each| (each.id.clone(), each))
            .collect();
        self.pipelines = pipelines
            .items
            .into_iter()
            .map(|each| (each.id.clone(), each))
            .collect();
        self.artifacts = artifacts
            .items
            .into_iter()
            .map(|each| (each.id.clone(), each))
            .collect();
        self.operations = operations
            .items
            .into_iter()
            .map(|each| (each.id.clone(), each))
            .collect();
        self.live = self
            .tasks
            .values()
            .filter(|task| !task.status().is_terminal())
            .map(|task| task.id.clone())
            .collect();
        self.last_seq = *store.watch_events().borrow();
        let lost = self.lost();
        self.expect(Promise::NothingAcknowledgedIsLost, lost.is_empty(), || {
            format!("lost in a crash: {}", lost.join(", "))
        });
    }

    /// What was acknowledged and is not in the model.
    fn lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        let known = &self.acknowledged;
        for (id, revision) in &known.tasks {
            if self
                .tasks
                .get(id)
                .is_none_or(|task| task.revision < *revision)
            {
                lost.push(format!("task `{id}` r{revision}"));
            }
        }
        for (id, revision) in &known.agents {
            let stored = self.agents.get(id).map(|agent| agent.revision);
            let kept =
                revision.is_none_or(|revision| stored.is_none_or(|stored| stored >= revision));
            if !kept {
                lost.push(format!("agent `{id}` r{revision:?}"));
            }
        }
        for (id, revision) in &known.pipelines {
            if self
                .pipelines
                .get(id)
                .is_none_or(|each| each.revision < *revision)
            {
                lost.push(format!("pipeline `{id}` r{revision}"));
            }
        }
        for (id, revision) in &known.operations {
            if self
                .operations
                .get(id)
                .is_none_or(|each| each.revision < *revision)
            {
                lost.push(format!("operation `{id}` r{revision}"));
            }
        }
        for id in &known.artifacts {
            if !self.artifacts.contains_key(id) {
                lost.push(format!("artifact `{id}`"));
            }
        }
        for (id, proof) in &self.winners {
            if !self.is_good(id, *proof) {
                lost.push(format!("completion of `{id}`"));
            }
        }
        if self.last_seq < known.last_seq {
            lost.push(format!(
                "events {} to {}",
                self.last_seq + 1,
                known.last_seq
            ));
        }
        lost
    }

    /// Nothing is under way: what is derived must be what would be derived anew.
    pub fn at_rest(&mut self, store: &MemoryStore, namespace: &Namespace, clock: &Clock) {
        let now = clock.time();
        let rebuilt = store.restarted();
        // Where the clock was set back, tasks stay ready whose time had come.
        let with_ready = now == clock.latest();
        if with_ready {
            // Asking for nothing makes those ready whose time has come.
            let nothing = Offer {
                namespace: namespace.clone(),
                agent_id: mcpanel_domain::AgentId::parse("nobody").expect("it is an id"),
                session: mcpanel_domain::SessionId::parse("nobody").expect("it is an id"),
                capabilities: Vec::new(),
                concurrency: 0,
                max: 0,
            };
            for store in [store, &rebuilt] {
                let _ = at_once(store.take_ready(&nothing, now));
            }
        }
        let kept = self.digest(store, namespace, with_ready);
        let derived = self.digest(&rebuilt, namespace, with_ready);
        let differences: Vec<String> = kept
            .iter()
            .zip(&derived)
            .filter(|(a, b)| a != b)
            .map(|(a, b)| format!("kept {a}; rebuilt {b}"))
            .collect();
        self.expect(Promise::DerivedStateIsRight, differences.is_empty(), || {
            differences.join(" | ")
        });
        self.check_timers(store, clock.latest());
    }

    /// The derived state, as far as the port shows it: a line for each thing.
    fn digest(&self, store: &MemoryStore, namespace: &Namespace, with_ready: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if let Ok(mut totals) = at_once(store.totals(namespace)) {
            if !with_ready {
                totals.ready = 0;
            }
            lines.push(format!("totals {totals:?}"));
        }
        for id in self.tasks.keys() {
            let dependents = at_once(store.dependents(namespace, id)).ok();
            let ready = at_once(store.ready_ahead(namespace, id)).ok().flatten();
            let ready = ready.filter(|_| with_ready);
            lines.push(format!(
                "task `{id}`: ready {ready:?}, dependents {dependents:?}"
            ));
        }
        for id in self.agents.keys() {
            lines.push(format!(
                "leases of `{id}`: {:?}",
                at_once(store.leases(namespace, id)).ok()
            ));
        }
        lines.push(format!(
            "orphans {:?}",
            at_once(store.orphaned_leases(ALL)).ok()
        ));
        lines.push(format!(
            "doomed {:?}",
            at_once(store.doomed_tasks(ALL)).ok()
        ));
        lines.push(format!(
            "unsettled {:?}",
            at_once(store.unsettled_pipelines()).ok()
        ));
        lines.push(format!(
            "queues {:?}",
            at_once(store.queues(namespace)).ok()
        ));
        lines.push(format!(
            "operations {:?}",
            at_once(store.running_operations(ALL)).ok()
        ));
        for id in self.pipelines.keys() {
            let counts = at_once(store.stage_counts(namespace, id)).ok();
            lines.push(format!("counts of `{id}`: {counts:?}"));
        }
        lines
    }

    /// A timer is armed no later than the first document needs it. `latest` is the furthest that the clock stood:
    /// a timer that was put off then is not brought forward when the clock is set back.
    fn check_timers(&mut self, store: &MemoryStore, latest: Timestamp) {
        let tasks = self.live.iter().filter_map(|id| self.tasks.get(id));
        let tasks = tasks.filter_map(|task| {
            let due = task.next_due(self.alive_until(task))?;
            Some((due, task.id.to_string()))
        });
        let agents = self.agents.values().filter_map(|agent| {
            let due = agent.next_due()?;
            Some((due, agent.id.to_string()))
        });
        let Some((due, whose)) = tasks.chain(agents).min() else {
            return;
        };
        let armed = at_once(store.next_due()).ok().flatten();
        self.expect(
            Promise::DerivedStateIsRight,
            armed.is_some_and(|at| at <= due.max(latest).plus_ms(TIMER_SLACK_MS)),
            || {
                format!(
                    "`{whose}` is due at {due}, the first timer is set for {armed:?}; the clock was at {latest}"
                )
            },
        );
    }

    fn alive_until(&self, task: &Task) -> Timestamp {
        task.lease()
            .and_then(|lease| {
                self.agents
                    .get(&lease.agent_id)
                    .filter(|agent| agent.session.id == lease.session)
            })
            .map_or(Timestamp::ZERO, |agent| agent.alive_until())
    }

    /// Everything has ended.
    pub fn at_end(&mut self, store: &MemoryStore, namespace: &Namespace) {
        let lost = self.lost();
        self.expect(Promise::NothingAcknowledgedIsLost, lost.is_empty(), || {
            format!("lost: {}", lost.join(", "))
        });
        for agent in self.agents.keys().cloned().collect::<Vec<_>>() {
            let leases = at_once(store.leases(namespace, &agent)).unwrap_or_default();
            self.expect(Promise::SlotsNeverLeak, leases.is_empty(), || {
                format!("agent `{agent}` still holds {leases:?}")
            });
        }
        for operation in self.operations.values().cloned().collect::<Vec<_>>() {
            self.expect(
                Promise::EverythingEnds,
                operation.status.is_terminal(),
                || format!("operation `{}` still runs", operation.id),
            );
        }
        self.check_events(store, namespace);
        self.check_repeated();
        for pipeline in self.pipelines.values().cloned().collect::<Vec<_>>() {
            if pipeline.status == PipelineStatus::Completed {
                self.check_chunks(&pipeline);
            }
        }
    }

    fn check_events(&mut self, store: &MemoryStore, namespace: &Namespace) {
        let Ok(events) = at_once(store.events(namespace, &EventFilter::default(), 0, ALL)) else {
            return;
        };
        let gap = events
            .events
            .iter()
            .zip(1..)
            .find(|(event, seq)| event.seq != *seq)
            .map(|(_, seq)| seq);
        self.expect(Promise::EveryChangeHasItsEvent, gap.is_none(), || {
            format!("event {gap:?} is missing")
        });
        let mut created: BTreeMap<TaskId, u32> = BTreeMap::new();
        let mut completed: BTreeMap<TaskId, u32> = BTreeMap::new();
        for event in &events.events {
            let Some(id) = &event.event.task_id else {
                continue;
            };
            match event.event.kind {
                Kind::TaskCreated => *created.entry(id.clone()).or_default() += 1,
                Kind::TaskCompleted => *completed.entry(id.clone()).or_default() += 1,
                _ => {}
            }
        }
        for (id, task) in &self.tasks.clone() {
            let ends = completed.get(id).copied().unwrap_or(0);
            let due = u32::from(task.status() == Status::Completed);
            self.expect(Promise::CompletesAtMostOnce, ends == due, || {
                format!(
                    "`{id}` is {}; {ends} events tell of a completion",
                    task.status().as_str()
                )
            });
            self.expect(
                Promise::EveryChangeHasItsEvent,
                created.get(id) == Some(&1),
                || format!("`{id}` was created {:?} times", created.get(id)),
            );
        }
    }

    /// A map stage has one task for each chunk of the winning attempts before it.
    fn check_chunks(&mut self, pipeline: &Pipeline) {
        for stage in &pipeline.stages {
            if stage.definition.mode != Mode::Map || stage.definition.dependencies.is_empty() {
                continue;
            }
            let chunks: BTreeSet<&str> = self
                .artifacts
                .values()
                .filter(|artifact| {
                    artifact.role == CHUNK_ROLE && self.won(pipeline, stage, artifact)
                })
                .map(|artifact| artifact.id.as_str())
                .collect();
            let worked_on: Vec<&str> = (0..stage.total)
                .map(|index| {
                    let number = stage.definition.number;
                    let id = TaskId::of_stage(&pipeline.id, stage.run, number, index);
                    self.inputs.get(&id).map_or("nothing", String::as_str)
                })
                .collect();
            let once = worked_on.len() == chunks.len()
                && worked_on.iter().copied().collect::<BTreeSet<_>>() == chunks;
            let detail = format!(
                "stage {} of `{}` worked on {worked_on:?}, there are {chunks:?}",
                stage.definition.number, pipeline.id
            );
            self.expect(Promise::EveryChunkOnce, once, || detail);
        }
    }

    /// Whether a file was made by the winning attempt of a task that feeds this stage.
    fn won(&self, pipeline: &Pipeline, stage: &Stage, artifact: &Artifact) -> bool {
        let Some(task) = artifact.task_id.as_ref().and_then(|id| self.tasks.get(id)) else {
            return false;
        };
        let feeds = task.place.as_ref().is_some_and(|place| {
            place.pipeline_id == pipeline.id
                && stage.definition.dependencies.contains(&place.stage)
                && pipeline
                    .stage(place.stage)
                    .is_some_and(|before| before.run == place.run)
        });
        feeds && task.status() == Status::Completed && artifact.attempt == Some(task.attempt)
    }
}
