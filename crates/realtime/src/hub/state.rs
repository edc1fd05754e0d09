//! Who is in a channel, how far each has been told, and what happened lately. No waiting and no I/O.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use mcpanel_api::{Problem, socket::Subscribed};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;

use super::{LineError, MemberId, Outlet, Party, told::Told};
use crate::{
    limits::{EVENTS_READ_MAX, RECENT_EVENTS_MAX, RESUME_EVENTS_MAX, ROOMS_MAX},
    refusal::Refusal,
    room::Room,
};

/// A channel's members and recent events.
pub(super) struct State {
    /// Everything up to this number was told to members that are level.
    position: u64,
    /// The events after `recent_after`, up to `position`.
    recent: VecDeque<Arc<Told>>,
    recent_after: u64,
    members: FxHashMap<MemberId, Member>,
    rooms: HashMap<Room, FxHashSet<MemberId>>,
    parties: HashMap<Party, FxHashSet<MemberId>>,
}

struct Member {
    outlet: Arc<dyn Outlet>,
    rooms: HashMap<Room, Cursor>,
    parties: Vec<Party>,
    /// Whether it is told from the log, and not by the pump.
    is_behind: bool,
    /// The newest event it was told of by the pump.
    told: u64,
    waiting: Vec<Waiting>,
    /// Subscriptions so far.
    subscriptions: u64,
}

/// How far a member is in one room.
#[derive(Clone, Copy)]
struct Cursor {
    /// The channel's position when it joined: later events came through this room.
    joined: u64,
    /// Everything up to this number was told. While the member is level, that is the channel's position, whatever
    /// stands here.
    since: u64,
    /// Which of the member's subscriptions this is.
    number: u64,
}

/// Somebody who waits until a member is level.
struct Waiting {
    level: oneshot::Sender<Subscribed>,
    replayed: u64,
}

/// How a subscription went.
pub(super) enum Joined {
    /// It is level, and told from now on.
    Level(Subscribed),
    /// It catches up; `level` fires at the end. With `is_new`, somebody has to do it.
    Behind {
        level: oneshot::Receiver<Subscribed>,
        is_new: bool,
    },
    /// It would be in too many rooms.
    TooMany,
    /// There is no such member.
    Gone,
}

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

/// What came of telling an event.
#[derive(Default)]
pub(super) struct Aftermath {
    /// Members whose line was full: they catch up from now on.
    pub(super) behind: Vec<MemberId>,
    /// Lines that an event concerns.
    pub(super) concerned: Vec<(Arc<dyn Outlet>, Arc<Told>)>,
}

impl State {
    pub(super) fn new(position: u64) -> Self {
        Self {
            position,
            recent: VecDeque::new(),
            recent_after: position,
            members: FxHashMap::default(),
            rooms: HashMap::new(),
            parties: HashMap::new(),
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn enter(&mut self, id: MemberId, outlet: Arc<dyn Outlet>, party: Option<Party>) {
        let member = Member {
            outlet,
            rooms: HashMap::new(),
            parties: Vec::new(),
            is_behind: false,
            told: 0,
            waiting: Vec::new(),
            subscriptions: 0,
        };
        self.members.insert(id, member);
        if let Some(party) = party {
            self.add_party(id, party);
        }
    }

    pub(super) fn add_party(&mut self, id: MemberId, party: Party) {
        if let Some(member) = self.members.get_mut(&id)
            && !member.parties.contains(&party)
        {
            member.parties.push(party.clone());
            self.parties.entry(party).or_default().insert(id);
        }
    }

    pub(super) fn leave(&mut self, id: MemberId) {
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        for room in member.rooms.keys() {
            take_out(&mut self.rooms, room, id);
        }
        for party in &member.parties {
            take_out(&mut self.parties, party, id);
        }
    }

    pub(super) fn unsubscribe(&mut self, id: MemberId, rooms: &[Room]) -> usize {
        let Some(member) = self.members.get_mut(&id) else {
            return 0;
        };
        for room in rooms {
            if member.rooms.remove(room).is_some() {
                take_out(&mut self.rooms, room, id);
            }
        }
        member.rooms.len()
    }

    /// Joins rooms. `newest` is the newest number there is, which the pump may not have come to yet.
    pub(super) fn subscribe(
        &mut self,
        id: MemberId,
        rooms: Vec<Room>,
        after: Option<u64>,
        newest: u64,
    ) -> Joined {
        let position = self.position;
        let Some(member) = self.members.get_mut(&id) else {
            return Joined::Gone;
        };
        let more = rooms
            .iter()
            .filter(|room| !member.rooms.contains_key(*room));
        if member.rooms.len() + more.count() > ROOMS_MAX {
            return Joined::TooMany;
        }
        let is_lost = after.is_some_and(|after| {
            after > newest.max(position) || position.saturating_sub(after) > RESUME_EVENTS_MAX
        });
        let since = if is_lost {
            position
        } else {
            after.unwrap_or(position)
        };
        if !member.is_behind {
            member.freeze(position);
        }
        for room in rooms {
            if after.is_none() && member.rooms.contains_key(&room) {
                continue;
            }
            self.rooms.entry(room.clone()).or_default().insert(id);
            member.join(room, position, since);
        }
        if since >= position {
            return Joined::Level(Subscribed {
                last_seq: since,
                replayed: 0,
                resync: is_lost,
            });
        }
        let (level, is_level) = oneshot::channel();
        member.waiting.push(Waiting { level, replayed: 0 });
        let is_new = !std::mem::replace(&mut member.is_behind, true);
        Joined::Behind {
            level: is_level,
            is_new,
        }
    }

    /// Tells an event to all members that are level, and remembers it.
    pub(super) fn tell(&mut self, told: &Arc<Told>, aftermath: &mut Aftermath) {
        let seq = told.seq();
        if seq <= self.position {
            return;
        }
        for room in &told.rooms {
            for id in self.rooms.get(room).into_iter().flatten() {
                let member = self.members.get_mut(id);
                if let Some(member) = member
                    && member.tell(room, told)
                {
                    aftermath.behind.push(*id);
                }
            }
        }
        self.concern(told, aftermath);
        self.position = seq;
        self.recent.push_back(told.clone());
        while self.recent.len() > RECENT_EVENTS_MAX {
            if let Some(forgotten) = self.recent.pop_front() {
                self.recent_after = forgotten.seq();
            }
        }
    }

    /// Everything up to here was looked at; what was not told is not of this namespace.
    pub(super) fn reach(&mut self, seq: u64) {
        self.position = self.position.max(seq);
    }

    /// Events are missing: whoever follows is told to read anew.
    pub(super) fn begin_anew(&mut self, position: u64) -> Vec<Arc<dyn Outlet>> {
        self.position = position;
        self.recent.clear();
        self.recent_after = position;
        let mut told = Vec::new();
        for member in self.members.values_mut() {
            // Those that are behind find out by themselves.
            if !member.is_behind && !member.rooms.is_empty() {
                member.told = 0;
                for cursor in member.rooms.values_mut() {
                    (cursor.joined, cursor.since) = (position, position);
                }
                told.push(member.outlet.clone());
            }
        }
        told
    }

    fn concern(&self, told: &Arc<Told>, aftermath: &mut Aftermath) {
        let payload = &told.event.payload;
        let party = match told.event.kind.as_str() {
            "task:cancel_requested" | "agent:register" | "agent:unregistered" => {
                payload.agent_id.clone().map(Party::Agent)
            }
            "key:revoked" => payload
                .key_id
                .as_deref()
                .and_then(|id| mcpanel_api::KeyId::parse(id).ok())
                .map(Party::Key),
            _ => None,
        };
        let ids = party.and_then(|party| self.parties.get(&party));
        for member in ids
            .into_iter()
            .flatten()
            .filter_map(|id| self.members.get(id))
        {
            aftermath
                .concerned
                .push((member.outlet.clone(), told.clone()));
        }
    }

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

impl Member {
    /// Joins a room, from after `since`.
    fn join(&mut self, room: Room, position: u64, since: u64) {
        self.subscriptions += 1;
        let cursor = Cursor {
            joined: position,
            since,
            number: self.subscriptions,
        };
        self.rooms.insert(room, cursor);
    }

    /// Writes down how far a level member is.
    fn freeze(&mut self, position: u64) {
        for cursor in self.rooms.values_mut() {
            cursor.since = cursor.since.max(position);
        }
    }

    /// Tells an event of one room; true when the line is full and the member is behind now.
    fn tell(&mut self, room: &Room, told: &Arc<Told>) -> bool {
        let seq = told.seq();
        // A cursor ahead of the channel belongs to a client that has seen more elsewhere.
        let is_ahead = self
            .rooms
            .get(room)
            .is_none_or(|cursor| cursor.since >= seq);
        // An event in several of its rooms is told once.
        if self.is_behind || self.told == seq || is_ahead {
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
    fn wants(&self, told: &Told) -> bool {
        let seq = told.seq();
        let mut cursors = told.rooms.iter().filter_map(|room| self.rooms.get(room));
        let came_already = cursors
            .clone()
            .any(|cursor| cursor.joined < seq && seq <= cursor.since);
        !came_already && cursors.any(|cursor| cursor.since < seq)
    }

    fn level(&mut self, position: u64, resync: bool) {
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

fn take_out<K: std::hash::Hash + Eq>(
    map: &mut HashMap<K, FxHashSet<MemberId>>,
    key: &K,
    id: MemberId,
) {
    if let Some(ids) = map.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}

/// The refusal of one room too many.
pub(super) fn too_many_rooms() -> Box<Problem> {
    Refusal::fault(
        "/rooms",
        "too_many",
        format!("would be more than {ROOMS_MAX} rooms for one socket"),
    )
}
