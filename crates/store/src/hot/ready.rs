//! The ready queue: which task is given out next.
//!
//! Tasks that need the same capabilities (and the same agent, where one is named) form a *lane*. The highest
//! priority comes first; among equal ones, pipelines take [turns], in all lanes together; within a
//! pipeline, earliest deadline, then age.

mod turns;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mcpanel_domain::{AgentId, Name, Namespace, PipelineId, TaskId, Timestamp, task::Task};
use rustc_hash::FxHashMap;

use crate::{Key, Offer};
use turns::Turns;

/// The queue.
#[derive(Default)]
pub(super) struct Ready {
    /// In a fixed order, so that equal choices are made alike in every run.
    lanes: BTreeMap<LaneKey, Lane>,
    /// Whose turn it is, for each priority of a namespace.
    turns: FxHashMap<(Namespace, i32), Turns<LaneKey>>,
    places: FxHashMap<Key<TaskId>, Slot>,
    /// Tasks whose time has not come.
    later: BTreeSet<(Timestamp, Namespace, TaskId)>,
    counts: FxHashMap<Namespace, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct LaneKey {
    namespace: Namespace,
    capabilities: std::sync::Arc<[Name]>,
    target: Option<AgentId>,
}

/// Where a task is, to find it again.
struct Slot {
    lane: LaneKey,
    priority: i32,
    group: Group,
    order: Order,
    /// When its time comes, while it has not.
    waits_until: Option<Timestamp>,
}

/// Within a pipeline: earliest deadline, then age; the id makes it unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    deadline: Timestamp,
    created_at: Timestamp,
    id: TaskId,
}

#[derive(Default)]
struct Lane {
    /// By priority; the last is the highest.
    levels: BTreeMap<i32, Level>,
}

#[derive(Default)]
struct Level {
    groups: FxHashMap<Group, BTreeSet<Order>>,
    /// Groups with tasks here, by virtual time.
    turns: BTreeSet<(u64, Group)>,
    len: u64,
}

/// Those that take turns: a pipeline, or all tasks of none.
type Group = Option<PipelineId>;

impl Ready {
    /// Puts a task where it belongs; tells whether it is ready now.
    pub(super) fn insert(
        &mut self,
        key: &Key<TaskId>,
        task: &Task,
        at: Timestamp,
        now: Timestamp,
    ) -> bool {
        self.remove(key);
        let slot = Slot {
            lane: LaneKey {
                namespace: key.0.clone(),
                capabilities: task.capabilities.clone(),
                target: task.target.clone(),
            },
            priority: task.priority,
            group: task.place.as_ref().map(|place| place.pipeline_id.clone()),
            order: Order {
                deadline: task.deadline.unwrap_or(Timestamp::MAX),
                created_at: task.created_at,
                id: key.1.clone(),
            },
            waits_until: (at > now).then_some(at),
        };
        let ready = slot.waits_until.is_none();
        if ready {
            self.enqueue(&slot);
        } else {
            self.later.insert((at, key.0.clone(), key.1.clone()));
        }
        self.places.insert(key.clone(), slot);
        ready
    }

    pub(super) fn remove(&mut self, key: &Key<TaskId>) {
        let Some(slot) = self.places.remove(key) else {
            return;
        };
        match slot.waits_until {
            Some(at) => {
                self.later.remove(&(at, key.0.clone(), key.1.clone()));
            }
            None => self.dequeue(&slot),
        }
    }

    /// Makes tasks ready whose time has come; answers which.
    pub(super) fn promote(&mut self, now: Timestamp) -> Vec<Key<TaskId>> {
        let mut promoted = Vec::new();
        while self.later.first().is_some_and(|(at, _, _)| *at <= now) {
            let Some((_, namespace, id)) = self.later.pop_first() else {
                break;
            };
            let key = (namespace, id);
            if let Some(mut slot) = self.places.remove(&key) {
                slot.waits_until = None;
                self.enqueue(&slot);
                self.places.insert(key.clone(), slot);
                promoted.push(key);
            }
        }
        promoted
    }

    pub(super) fn next_promotion(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _, _)| *at)
    }

    /// Takes out the best task for an offer.
    pub(super) fn take_best(&mut self, offer: &Offer) -> Option<TaskId> {
        let mut best: Option<(Rank<'_>, &Lane)> = None;
        for (key, lane) in &self.lanes {
            if key.namespace != offer.namespace || !key.suits(offer) {
                continue;
            }
            if let Some(rank) = lane.head()
                && best.as_ref().is_none_or(|(other, _)| rank.beats(other))
            {
                best = Some((rank, lane));
            }
        }
        let (_, lane) = best?;
        let level = lane.levels.last_key_value().map(|(_, level)| level)?;
        let group = level.turns.first().map(|(_, group)| group)?;
        let order = level.groups.get(group)?.first()?;
        let key = (offer.namespace.clone(), order.id.clone());
        let slot = self.places.remove(&key)?;
        self.take_turn(&slot);
        self.dequeue(&slot);
        Some(key.1)
    }

    /// Tasks of the same lane with at least the same priority that were there before it.
    pub(super) fn ahead(&self, key: &Key<TaskId>) -> Option<u64> {
        let slot = self.places.get(key)?;
        if slot.waits_until.is_some() {
            return None;
        }
        let lane = self.lanes.get(&slot.lane)?;
        let above: u64 = lane
            .levels
            .range(slot.priority + 1..)
            .map(|(_, level)| level.len)
            .sum();
        let beside = lane
            .levels
            .get(&slot.priority)
            .and_then(|level| level.groups.get(&slot.group))
            .map_or(0, |tasks| tasks.range(..&slot.order).count());
        Some(above + u64::try_from(beside).unwrap_or(u64::MAX))
    }

    pub(super) fn count(&self, namespace: &Namespace) -> u64 {
        self.counts.get(namespace).copied().unwrap_or(0)
    }

    fn enqueue(&mut self, slot: &Slot) {
        let level = self
            .lanes
            .entry(slot.lane.clone())
            .or_default()
            .levels
            .entry(slot.priority)
            .or_default();
        let tasks = level.groups.entry(slot.group.clone()).or_default();
        if tasks.is_empty() {
            let turns = self.turns.entry(slot.turns()).or_default();
            let time = turns.join(&slot.group, &slot.lane);
            level.turns.insert((time, slot.group.clone()));
        }
        tasks.insert(slot.order.clone());
        level.len += 1;
        *self.counts.entry(slot.lane.namespace.clone()).or_insert(0) += 1;
    }

    fn dequeue(&mut self, slot: &Slot) {
        if let Some(lane) = self.lanes.get_mut(&slot.lane)
            && let Some(level) = lane.levels.get_mut(&slot.priority)
            && let Some(tasks) = level.groups.get_mut(&slot.group)
            && tasks.remove(&slot.order)
        {
            level.len -= 1;
            if tasks.is_empty() {
                level.groups.remove(&slot.group);
                if let Some(turns) = self.turns.get_mut(&slot.turns()) {
                    let time = turns.leave(&slot.group, &slot.lane);
                    level.turns.remove(&(time, slot.group.clone()));
                    if turns.is_empty() {
                        self.turns.remove(&slot.turns());
                    }
                }
            }
        }
        self.settle(&slot.lane);
        self.uncount(&slot.lane.namespace);
    }

    /// Puts the group of a task that is given out behind the others, in all lanes where it waits.
    fn take_turn(&mut self, slot: &Slot) {
        let Some(turns) = self.turns.get_mut(&slot.turns()) else {
            return;
        };
        let (before, after, lanes) = turns.take(&slot.group);
        for key in lanes {
            let lane = self.lanes.get_mut(key);
            if let Some(level) = lane.and_then(|lane| lane.levels.get_mut(&slot.priority)) {
                level.turns.remove(&(before, slot.group.clone()));
                level.turns.insert((after, slot.group.clone()));
            }
        }
    }

    /// Drops what became empty, so that lanes of agents long gone do not stay.
    fn settle(&mut self, key: &LaneKey) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.levels.retain(|_, level| level.len > 0);
            if lane.levels.is_empty() {
                self.lanes.remove(key);
            }
        }
    }

    fn uncount(&mut self, namespace: &Namespace) {
        if let Some(count) = self.counts.get_mut(namespace) {
            *count = count.saturating_sub(1);
        }
    }
}

/// How good the first task of a lane is.
struct Rank<'a> {
    priority: i32,
    time: u64,
    order: &'a Order,
}

impl Rank<'_> {
    fn beats(&self, other: &Rank<'_>) -> bool {
        (std::cmp::Reverse(self.priority), self.time, self.order)
            < (std::cmp::Reverse(other.priority), other.time, other.order)
    }
}

impl LaneKey {
    fn suits(&self, offer: &Offer) -> bool {
        self.target
            .as_ref()
            .is_none_or(|target| *target == offer.agent_id)
            && self
                .capabilities
                .iter()
                .all(|needed| offer.capabilities.binary_search(needed).is_ok())
    }
}

impl Lane {
    fn head(&self) -> Option<Rank<'_>> {
        let (priority, level) = self.levels.last_key_value()?;
        let (time, group) = level.turns.first()?;
        let order = level.groups.get(group)?.first()?;
        Some(Rank {
            priority: *priority,
            time: *time,
            order,
        })
    }
}

impl Slot {
    /// Where its group takes turns.
    fn turns(&self) -> (Namespace, i32) {
        (self.lane.namespace.clone(), self.priority)
    }
}
