//! Telling subscribers what happens: each event once, in order, at the speed at which its reader reads.
//!
//! A namespace with sockets has a [`Channel`]. Its `pump` reads the log whenever something happened, and tells
//! the members of each event's rooms at once. A member whose line is full, or that comes back with the number of an event of
//! before, is *catching up*: it is told from the log, or from the recent events in memory, until it is level with the
//! channel. So a burst larger than any buffer reaches whoever reads, who reads slowly holds nothing up, and the only
//! readers that are ended are those that take nothing at all.
//!
//! Nothing here knows Socket.IO: a socket is an [`Outlet`].

mod catch_up;
mod leg;
mod member;
mod pump;
mod state;
#[cfg(test)]
mod tests;
mod told;

use std::{sync::Arc, time::Duration};

use mcpanel_api::{AgentId, KeyId, Namespace, event::Event, socket::Subscribed};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use tokio::sync::{oneshot, watch};

use crate::{
    limits::AHEAD_MS_MAX,
    ports::{Answer, Follow},
    refusal::Refusal,
    room::Room,
};
pub(crate) use pump::RESYNC;
use state::{Joined, State};

/// Why a line took nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineError {
    /// It takes no more at present.
    Full,
    /// There is nobody at its end.
    Closed,
}

/// A line to somebody.
pub(crate) trait Outlet: Send + Sync {
    /// Sends an event, at once or not at all.
    fn tell(&self, event: &str, body: &RawValue) -> Result<(), LineError>;

    /// Something happened that concerns one of its parties.
    fn concerns(&self, event: &Event);

    /// It took nothing for too long, or is gone.
    fn lost(&self, why: LineError);
}

/// On whose account a socket is here. Some events concern all sockets of a party, whatever rooms they are in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// An agent.
    Agent(AgentId),
    /// The holder of an API key.
    Key(KeyId),
}

/// The number of a socket within this process.
pub(crate) type MemberId = u64;

/// All channels.
pub(crate) struct Hub {
    follow: Arc<dyn Follow>,
    /// How long a member may take nothing.
    stuck: Duration,
    channels: Mutex<FxHashMap<Namespace, Arc<Channel>>>,
}

/// What happens in one namespace, and who is told.
pub(crate) struct Channel {
    namespace: Namespace,
    follow: Arc<dyn Follow>,
    stuck: Duration,
    state: Mutex<State>,
    /// How far its pump has come.
    reached: watch::Sender<u64>,
}

impl Hub {
    pub(crate) fn new(follow: Arc<dyn Follow>, stuck: Duration) -> Arc<Self> {
        Arc::new(Self {
            follow,
            stuck,
            channels: Mutex::default(),
        })
    }

    /// Lets a socket into its namespace.
    pub(crate) fn enter(
        self: &Arc<Self>,
        namespace: &Namespace,
        id: MemberId,
        outlet: Arc<dyn Outlet>,
        party: Option<Party>,
    ) -> Arc<Channel> {
        let mut channels = self.channels.lock();
        let channel = channels.entry(namespace.clone()).or_insert_with(|| {
            let newest = *self.follow.watch().borrow();
            let channel = Arc::new(Channel {
                namespace: namespace.clone(),
                follow: self.follow.clone(),
                stuck: self.stuck,
                state: Mutex::new(State::new(newest)),
                reached: watch::Sender::new(newest),
            });
            tokio::spawn(pump::run(Arc::downgrade(self), channel.clone()));
            channel
        });
        // Under the lock of the map: a channel that is being forgotten is not entered.
        channel.state.lock().enter(id, outlet, party);
        channel.clone()
    }

    /// Forgets a channel that nobody is in; tells whether it did.
    fn forget(&self, channel: &Channel) -> bool {
        let mut channels = self.channels.lock();
        let is_empty = channel.state.lock().is_empty();
        if is_empty {
            channels.remove(&channel.namespace);
        }
        is_empty
    }
}

impl Channel {
    /// A member acts for this party from now on.
    pub(crate) fn add_party(&self, id: MemberId, party: Party) {
        self.state.lock().add_party(id, party);
    }

    /// A member is gone.
    pub(crate) fn leave(&self, id: MemberId) {
        self.state.lock().leave(id);
    }

    /// A member leaves rooms; tells in how many it still is.
    pub(crate) fn unsubscribe(&self, id: MemberId, rooms: &[Room]) -> usize {
        self.state.lock().unsubscribe(id, rooms)
    }

    /// A member joins rooms, and is told first what happened there after `after`.
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        id: MemberId,
        rooms: Vec<Room>,
        after: Option<u64>,
    ) -> Answer<Subscribed> {
        if let Some(after) = after {
            self.reach(after).await;
        }
        let newest = *self.follow.watch().borrow();
        let joined = self.state.lock().subscribe(id, rooms, after, newest);
        match joined {
            Joined::Level(subscribed) => Ok(subscribed),
            Joined::Behind { level, is_new } => {
                if is_new {
                    tokio::spawn(catch_up::run(self.clone(), id));
                }
                outcome(level).await
            }
            Joined::TooMany => Err(state::too_many_rooms()),
            Joined::Gone => Err(gone()),
        }
    }

    /// Waits a moment for the pump to come to all that happened by now, and to an event that the caller saw already,
    /// perhaps at another instance.
    async fn reach(&self, seq: u64) {
        let newest = *self.follow.watch().borrow();
        let wanted = newest.max(seq);
        let mut reached = self.reached.subscribe();
        let reached = reached.wait_for(|reached| *reached >= wanted);
        // Later or never: `subscribe` sees which.
        let _ = tokio::time::timeout(Duration::from_millis(AHEAD_MS_MAX), reached).await;
    }
}

async fn outcome(level: oneshot::Receiver<Subscribed>) -> Answer<Subscribed> {
    level.await.map_err(|_| gone())
}

fn gone() -> Box<mcpanel_api::Problem> {
    Refusal::Overloaded.because("the socket ended before it was level")
}
