//! Who is in a channel, how far each has been told, and what happened lately. No waiting and no I/O.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use mcpanel_api::{Problem, socket::Subscribed};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;

use super::{
    MemberId, Outlet, Party,
    member::{Member, Waiting},
    told::Told,
};
use crate::{
    limits::{RECENT_EVENTS_MAX, RESUME_EVENTS_MAX, ROOMS_MAX},
    refusal::Refusal,
    room::Room,
};

/// A channel's members and recent events.
pub(super) struct State {
    /// Everything up to this number was told to members that are level.
    pub(super) position: u64,
    /// The events after `recent_after`, up to `position`.
    pub(super) recent: VecDeque<Arc<Told>>,
    pub(super) recent_after: u64,
    pub(super) members: FxHashMap<MemberId, Member>,
    pub(super) rooms: HashMap<Room, FxHashSet<MemberId>>,
    pub(super) parties: HashMap<Party, FxHashSet<MemberId>>,
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
        self.members.insert(id, Member::new(outlet));
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
