//! One member of a channel: the rooms it is in, and how far it has been told in each.

use std::{collections::HashMap, sync::Arc};

use mcpanel_api::socket::Subscribed;
use tokio::sync::oneshot;

use super::{LineError, Outlet, Party, told::Told};
use crate::room::Room;

pub(super) struct Member {
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) rooms: HashMap<Room, Cursor>,
    pub(super) parties: Vec<Party>,
    /// Whether it is told from the log, and not by the pump.
    pub(super) is_behind: bool,
    /// The newest event it was told of by the pump.
    pub(super) told: u64,
    pub(super) waiting: Vec<Waiting>,
    /// Subscriptions so far.
    pub(super) subscriptions: u64,
}

/// How far a member is in one room.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    /// The channel's position when it joined: later events came through this room.
    pub(super) joined: u64,
    /// Everything up to this number was told. While the member is level, that is the channel's position, whatever
    /// stands here.
    pub(super) since: u64,
    /// Which of the member's subscriptions this is.
    pub(super) number: u64,
}

/// Somebody who waits until a member is level.
pub(super) struct Waiting {
    pub(super) level: oneshot::Sender<Subscribed>,
    pub(super) replayed: u64,
}

impl Member {
    /// A member in no room yet.
    pub(super) fn new(outlet: Arc<dyn Outlet>) -> Self {
        Self {
            outlet,
            rooms: HashMap::new(),
            parties: Vec::new(),
            is_behind: false,
            told: 0,
            waiting: Vec::new(),
            subscriptions: 0,
        }
    }

    /// Joins a room, from after `since`.
    pub(super) fn join(&mut self, room: Room, position: u64, since: u64) {
        self.subscriptions += 1;
        let cursor = Cursor {
            joined: position,
            since,
            number: self.subscriptions,
        };
        self.rooms.insert(room, cursor);
    }

    /// Writes down how far a level member is.
    pub(super) fn freeze(&mut self, position: u64) {
        for cursor in self.rooms.values_mut() {
            cursor.since = cursor.since.max(position);
        }
    }

    /// Whether an event is about work given to the agent of this very line, which it is pushed with its lease: a
    /// handler of the push would take the event for one.
    fn is_pushed(&self, told: &Told) -> bool {
        let agent = &told.event.payload.agent_id;
        told.event.kind == "task:delegate"
            && agent.as_ref().is_some_and(|agent| {
                self.parties
                    .iter()
                    .any(|party| matches!(party, Party::Agent(id) if id == agent))
            })
    }

    /// Tells an event of one room; true when the line is full and the member is behind now.
    pub(super) fn tell(&mut self, room: &Room, told: &Arc<Told>) -> bool {
        let seq = told.seq();
        // A cursor ahead of the channel belongs to a client that has seen more elsewhere.
        let is_ahead = self
            .rooms
            .get(room)
            .is_none_or(|cursor| cursor.since >= seq);
        // An event in several of its rooms is told once.
        if self.is_behind || self.told == seq || is_ahead || self.is_pushed(told) {
            return false;
        }
        match self.outlet.tell(&told.event.kind, &told.text) {
            Ok(()) => {
                self.told = seq;
                false
            }
            Err(LineError::Full) => {
                self.is_behind = true;
                self.freeze(seq - 1);
                true
            }
            // Its end is on the way.
            Err(LineError::Closed) => false,
        }
    }

    /// Whether an event of before is one that it was not told of.
    pub(super) fn wants(&self, told: &Told) -> bool {
        let seq = told.seq();
        let mut cursors = told.rooms.iter().filter_map(|room| self.rooms.get(room));
        let came_already = cursors
            .clone()
            .any(|cursor| cursor.joined < seq && seq <= cursor.since);
        !came_already && cursors.any(|cursor| cursor.since < seq) && !self.is_pushed(told)
    }

    pub(super) fn level(&mut self, position: u64, resync: bool) {
        self.is_behind = false;
        if resync {
            for cursor in self.rooms.values_mut() {
                (cursor.joined, cursor.since) = (position, position);
            }
        }
        self.freeze(position);
        for waiting in self.waiting.drain(..) {
            // Whoever asked may be gone.
            let _ = waiting.level.send(Subscribed {
                last_seq: position,
                replayed: waiting.replayed,
                resync,
            });
        }
    }
}
