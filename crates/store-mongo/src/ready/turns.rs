//! Turns between pipelines, among candidates of equal priority.

use mcpanel_domain::{Namespace, PipelineId, TaskId};
use rustc_hash::FxHashMap;

use super::Candidate;

/// Pipelines whose turns are remembered; beyond it everybody begins anew.
const REMEMBERED_MAX: usize = 10_000;

type Group = (Namespace, i32, Option<PipelineId>);

/// How many turns each group had, counted from where the least served one stood.
#[derive(Default)]
pub(super) struct Turns(FxHashMap<Group, u64>);

impl Turns {
    /// The best of the candidates, at most `room`.
    pub(super) fn choose(
        &mut self,
        namespace: &Namespace,
        mut candidates: Vec<Candidate>,
        room: usize,
    ) -> Vec<TaskId> {
        if self.0.len() > REMEMBERED_MAX {
            self.0.clear();
        }
        candidates.sort();
        let mut chosen = Vec::new();
        let mut rest = candidates.into_iter().peekable();
        while chosen.len() < room {
            let Some(first) = rest.peek() else { break };
            let priority = first.priority;
            let mut level = Vec::new();
            while let Some(each) = rest.next_if(|each| each.priority == priority) {
                level.push(each);
            }
            let left = room - chosen.len();
            chosen.extend(self.choose_equal(namespace, priority.0, level, left));
        }
        chosen
    }

    fn choose_equal(
        &mut self,
        namespace: &Namespace,
        priority: i32,
        level: Vec<Candidate>,
        room: usize,
    ) -> Vec<TaskId> {
        let mut groups: Vec<(Group, std::collections::VecDeque<Candidate>)> = Vec::new();
        let mut places: FxHashMap<Option<PipelineId>, usize> = FxHashMap::default();
        for each in level {
            let at = *places.entry(each.pipeline.clone()).or_insert_with(|| {
                let group = (namespace.clone(), priority, each.pipeline.clone());
                groups.push((group, std::collections::VecDeque::new()));
                groups.len() - 1
            });
            groups[at].1.push_back(each);
        }
        // Whoever was away is owed one turn, not all that it missed.
        let clock = groups
            .iter()
            .filter_map(|(group, _)| self.0.get(group))
            .min()
            .copied()
            .unwrap_or(0);
        for (group, _) in &groups {
            self.0.entry(group.clone()).or_insert(clock);
        }
        let mut chosen = Vec::new();
        while chosen.len() < room {
            let next = groups
                .iter()
                .enumerate()
                .filter_map(|(at, (group, tasks))| {
                    let served = self.0.get(group).copied().unwrap_or(clock);
                    tasks.front().map(|task| ((served, task.clone()), at))
                })
                .min();
            let Some((_, at)) = next else { break };
            let (group, tasks) = &mut groups[at];
            if let Some(task) = tasks.pop_front() {
                chosen.push(task.id);
                *self.0.entry(group.clone()).or_insert(clock) += 1;
            }
        }
        chosen
    }
}
