//! The way of a member that is behind, leg by leg, until it is level.

use std::sync::Arc;

use super::{MemberId, Outlet, state::State, told::Told};
use crate::{limits::EVENTS_READ_MAX, room::Room};

/// What to do next for a member that is behind.
pub(super) enum Step {
    /// It is level.
    Level,
    /// There is no such member.
    Gone,
    /// Tell these, then [`State::advance`].
    Tell(Leg),
    /// Read the log after this number, then [`State::select`].
    Read(u64),
}

/// A piece of the way of a member that is behind.
pub(super) struct Leg {
    pub(super) outlet: Arc<dyn Outlet>,
    /// What it wants of that.
    pub(super) events: Vec<Arc<Told>>,
    /// The subscriptions that were looked at.
    rooms: Vec<(Room, u64)>,
    /// Up to where.
    pub(super) to: u64,
}

impl State {
    /// What to do next for a member that is behind.
    pub(super) fn step(&mut self, id: MemberId) -> Step {
        let (position, recent_after) = (self.position, self.recent_after);
        let Some(member) = self.members.get_mut(&id) else {
            return Step::Gone;
        };
        let from = member.rooms.values().map(|cursor| cursor.since).min();
        let from = from.unwrap_or(position);
        if from >= position {
            member.level(position, false);
            return Step::Level;
        }
        if from < recent_after {
            return Step::Read(from);
        }
        let begin = self.recent.partition_point(|told| told.seq() <= from);
        let events: Vec<_> = self
            .recent
            .range(begin..)
            .take(EVENTS_READ_MAX)
            .cloned()
            .collect();
        let to = match events.last() {
            Some(last) if begin + events.len() < self.recent.len() => last.seq(),
            _ => position,
        };
        self.select(id, events, to)
    }

    /// What a member wants of events that lie after the least far of its rooms, up to `to`.
    pub(super) fn select(&mut self, id: MemberId, mut events: Vec<Arc<Told>>, to: u64) -> Step {
        let Some(member) = self.members.get(&id) else {
            return Step::Gone;
        };
        events.retain(|told| member.wants(told));
        Step::Tell(Leg {
            outlet: member.outlet.clone(),
            events,
            rooms: member
                .rooms
                .iter()
                .map(|(room, cursor)| (room.clone(), cursor.number))
                .collect(),
            to,
        })
    }

    /// A leg was told.
    pub(super) fn advance(&mut self, id: MemberId, leg: &Leg) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        for (room, number) in &leg.rooms {
            if let Some(cursor) = member.rooms.get_mut(room)
                && cursor.number == *number
            {
                cursor.since = cursor.since.max(leg.to);
            }
        }
        for waiting in &mut member.waiting {
            waiting.replayed += leg.events.len() as u64;
        }
    }

    /// What a member is behind by is gone. It is level from now on; tells whether nobody waited who would be told so.
    pub(super) fn give_up(&mut self, id: MemberId) -> Option<(Arc<dyn Outlet>, u64)> {
        let position = self.position;
        let member = self.members.get_mut(&id)?;
        let nobody_waits = member.waiting.is_empty();
        member.level(position, true);
        nobody_waits.then(|| (member.outlet.clone(), position))
    }
}
