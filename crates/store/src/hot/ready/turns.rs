//! Whose turn it is: start-time fair queuing (Goyal, Vin, Cheng 1996) with unit cost.
//!
//! Each group has a virtual time that grows with each task given out; the group with the least goes
//! next. A group that comes back is remembered as long as it is ahead of the others, so that one
//! which always has a single task does not overtake one that has many. Nobody saves up either: a group that
//! waited for want of an agent goes first once, and then takes turns.

use std::collections::BTreeSet;

use mcpanel_domain::PipelineId;
use rustc_hash::FxHashMap;

type Group = Option<PipelineId>;

/// The groups that share turns.
pub(super) struct Turns<L> {
    groups: FxHashMap<Group, Turn<L>>,
    /// Groups without tasks that are still ahead of the clock, by their time.
    absent: BTreeSet<(u64, Group)>,
    /// The furthest time that was given a turn.
    clock: u64,
}

struct Turn<L> {
    time: u64,
    /// Lanes in which the group has tasks.
    lanes: Vec<L>,
}

impl<L> Default for Turns<L> {
    fn default() -> Self {
        Self {
            groups: FxHashMap::default(),
            absent: BTreeSet::new(),
            clock: 0,
        }
    }
}

impl<L: Clone + PartialEq> Turns<L> {
    /// The group has its first task in a lane; answers with its time.
    pub(super) fn join(&mut self, group: &Group, lane: &L) -> u64 {
        let clock = self.clock;
        let turn = self.groups.entry(group.clone()).or_insert(Turn {
            time: clock,
            lanes: Vec::new(),
        });
        if turn.lanes.is_empty() {
            self.absent.remove(&(turn.time, group.clone()));
            turn.time = turn.time.max(clock);
        }
        turn.lanes.push(lane.clone());
        turn.time
    }

    /// The group has no task in a lane any more; answers with its time.
    pub(super) fn leave(&mut self, group: &Group, lane: &L) -> u64 {
        let Some(turn) = self.groups.get_mut(group) else {
            return 0;
        };
        turn.lanes.retain(|each| each != lane);
        let time = turn.time;
        if turn.lanes.is_empty() {
            if time > self.clock {
                self.absent.insert((time, group.clone()));
            } else {
                self.groups.remove(group);
            }
        }
        time
    }

    /// The group has its turn; answers with its time before and after, and its lanes.
    pub(super) fn take(&mut self, group: &Group) -> (u64, u64, &[L]) {
        let Some(before) = self.groups.get(group).map(|turn| turn.time) else {
            return (0, 0, &[]);
        };
        self.clock = self.clock.max(before);
        self.forget_passed();
        let after = self.clock + 1;
        let lanes = self.groups.get_mut(group).map_or(&[][..], |turn| {
            turn.time = after;
            &turn.lanes
        });
        (before, after, lanes)
    }

    /// Whether no group has tasks: then nobody is owed anything.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.len() == self.absent.len()
    }

    /// Groups without tasks that the clock has reached would begin at the clock again.
    fn forget_passed(&mut self) {
        while let Some((time, _)) = self.absent.first()
            && *time <= self.clock
        {
            if let Some((_, group)) = self.absent.pop_first() {
                self.groups.remove(&group);
            }
        }
    }
}
