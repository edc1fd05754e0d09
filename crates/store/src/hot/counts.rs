//! How many tasks stand where: by namespace, and by stage of each pipeline.

use mcpanel_domain::{
    Namespace, PipelineId,
    pipeline::StageCounts,
    task::{Status, Task},
};
use rustc_hash::FxHashMap;

use crate::Key;

/// Counts, moved with each committed change.
#[derive(Default)]
pub(super) struct Counts {
    namespaces: FxHashMap<Namespace, [u64; 7]>,
    stages: FxHashMap<Key<PipelineId>, Vec<Stage>>,
}

/// The counts of one run of a stage, with per cents in whole thousandths, which add up without drift.
struct Stage {
    stage: u16,
    run: u32,
    by_status: [u32; 7],
    milli_percent: i64,
}

const MILLI: f64 = 1_000.0;

impl Counts {
    pub(super) fn moved(&mut self, old: Option<&Task>, new: &Task) {
        let before = old.map(|task| index(task.status()));
        let after = index(new.status());
        if before != Some(after) {
            if !self.namespaces.contains_key(&new.namespace) {
                self.namespaces.insert(new.namespace.clone(), [0; 7]);
            }
            if let Some(totals) = self.namespaces.get_mut(&new.namespace) {
                if let Some(before) = before {
                    totals[before] = totals[before].saturating_sub(1);
                }
                totals[after] += 1;
            }
        }
        let Some(place) = &new.place else { return };
        let stages = self
            .stages
            .entry((new.namespace.clone(), place.pipeline_id.clone()))
            .or_default();
        let at = match stages
            .iter()
            .position(|each| each.stage == place.stage && each.run == place.run)
        {
            Some(at) => at,
            None => {
                stages.push(Stage {
                    stage: place.stage,
                    run: place.run,
                    by_status: [0; 7],
                    milli_percent: 0,
                });
                stages.len() - 1
            }
        };
        let stage = &mut stages[at];
        if let Some(before) = before {
            stage.by_status[before] = stage.by_status[before].saturating_sub(1);
        }
        stage.by_status[after] += 1;
        stage.milli_percent += milli(new) - old.map_or(0, milli);
    }

    pub(super) fn set_namespace(&mut self, namespace: &Namespace, totals: [u64; 7]) {
        self.namespaces.insert(namespace.clone(), totals);
    }

    pub(super) fn set_pipeline(&mut self, key: &Key<PipelineId>, stages: &[StageCounts]) {
        let stages = stages
            .iter()
            .map(|each| Stage {
                stage: each.stage,
                run: each.run,
                by_status: each.by_status,
                milli_percent: (each.percent_sum * MILLI).round() as i64,
            })
            .collect();
        self.stages.insert(key.clone(), stages);
    }

    pub(super) fn has_pipeline(&self, key: &Key<PipelineId>) -> bool {
        self.stages.contains_key(key)
    }

    pub(super) fn forget_pipeline(&mut self, key: &Key<PipelineId>) {
        self.stages.remove(key);
    }

    pub(super) fn of_namespace(&self, namespace: &Namespace) -> [u64; 7] {
        self.namespaces.get(namespace).copied().unwrap_or_default()
    }

    pub(super) fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.namespaces.keys()
    }

    pub(super) fn of_pipeline(&self, key: &Key<PipelineId>) -> Vec<StageCounts> {
        let mut counts: Vec<StageCounts> = self
            .stages
            .get(key)
            .into_iter()
            .flatten()
            .map(|each| StageCounts {
                stage: each.stage,
                run: each.run,
                by_status: each.by_status,
                percent_sum: each.milli_percent as f64 / MILLI,
            })
            .collect();
        counts.sort_by_key(|each| (each.stage, each.run));
        counts
    }
}

fn index(status: Status) -> usize {
    Status::ALL
        .iter()
        .position(|each| *each == status)
        .expect("ALL holds every status")
}

fn milli(task: &Task) -> i64 {
    (task.progress.percent * MILLI).round() as i64
}
