//! The ready queue: which task is given out next.
//!
//! Tasks that need the same capabilities (and the same agent, where one is named) form a *lane*. In
//! a lane: highest priority first; among equal ones, pipelines take turns; within a pipeline,
//! earliest deadline, then age. Turns are start-time fair queuing (Goyal, Vin, Cheng 1996) with unit cost:
//! each pipeline has a virtual time that grows by one with each task given out, and a pipeline
//! that was idle starts at the present virtual time, so that it neither saves up nor starves.

use std::collections::{BTreeMap, BTreeSet};

use mcpanel_domain::{AgentId, Name, Namespace, PipelineId, TaskId, Timestamp, task::Task};
use rustc_hash::FxHashMap;

use crate::{Key, Offer};

/// The queue.
#[derive(Default)]
pub(super) struct Ready {
    /// In a fixed order, so that equal choices are made alike in every run.
    lanes: BTreeMap<LaneKey, Lane>,
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
    group: Option<PipelineId>,
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
    groups: FxHashMap<Option<PipelineId>, Group>,
    /// Groups with tasks, by virtual time.
    turns: BTreeSet<(u64, Option<PipelineId>)>,
    clock: u64,
    len: u64,
}

#[derive(Default)]
struct Group {
    tasks: BTreeSet<Order>,
    time: u64,
}

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
        let mut best: Option<(Rank<'_>, &LaneKey)> = None;
        for (key, lane) in &self.lanes {
            if key.namespace != offer.namespace || !key.suits(offer) {
                continue;
            }
            if let Some(rank) = lane.head()
                && best.as_ref().is_none_or(|(other, _)| rank.beats(other))
            {
                best = Some((rank, key));
            }
        }
        let (_, lane) = best?;
        let lane = lane.clone();
        let id = self.lanes.get_mut(&lane)?.take()?;
        self.settle(&lane);
        let key = (offer.namespace.clone(), id.clone());
        self.places.remove(&key);
        self.uncount(&offer.namespace);
        Some(id)
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
            .map_or(0, |group| group.tasks.range(..&slot.order).count());
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
        let clock = level.clock;
        let group = level.groups.entry(slot.group.clone()).or_default();
        if group.tasks.is_empty() {
            group.time = group.time.max(clock);
            level.turns.insert((group.time, slot.group.clone()));
        }
        group.tasks.insert(slot.order.clone());
        level.len += 1;
        *self.counts.entry(slot.lane.namespace.clone()).or_insert(0) += 1;
    }

    fn dequeue(&mut self, slot: &Slot) {
        if let Some(lane) = self.lanes.get_mut(&slot.lane)
            && let Some(level) = lane.levels.get_mut(&slot.priority)
            && let Some(group) = level.groups.get_mut(&slot.group)
            && group.tasks.remove(&slot.order)
        {
            level.len -= 1;
            if group.tasks.is_empty() {
                level.turns.remove(&(group.time, slot.group.clone()));
                level.groups.remove(&slot.group);
            }
        }
        self.settle(&slot.lane);
        self.uncount(&slot.lane.namespace);
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
        let order = level.groups.get(group)?.tasks.first()?;
        Some(Rank {
            priority: *priority,
            // Compared between lanes: how far ahead of its own lane's clock the group is.
            time: time.saturating_sub(level.clock),
            order,
        })
    }

    fn take(&mut self) -> Option<TaskId> {
        let mut entry = self.levels.last_entry()?;
        let level = entry.get_mut();
        let (time, name) = level.turns.pop_first()?;
        level.clock = time;
        let group = level.groups.get_mut(&name)?;
        let order = group.tasks.pop_first()?;
        level.len -= 1;
        group.time = time + 1;
        if group.tasks.is_empty() {
            // A group that comes back starts at the clock; to be forgotten costs it nothing.
            level.groups.remove(&name);
        } else {
            level.turns.insert((group.time, name));
        }
        Some(order.id)
    }
}
