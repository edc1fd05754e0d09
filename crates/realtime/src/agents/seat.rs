//! An agent's place on a socket.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use mcpanel_api::{
    AgentId, Namespace,
    event::Event,
    socket::{Notice, TaskCancel},
};
use mcpanel_guard::Principal;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::push;
use crate::{connection::Connection, end::End, figures::Figures, hub::Party, ports::Desk};

/// An agent's place on a socket.
pub(crate) struct Seat {
    agent: Principal,
    agent_id: AgentId,
    state: watch::Sender<State>,
    nudge: Notify,
    figures: Arc<Figures>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is given work.
    Open,
    /// It finishes what it has.
    Draining,
    /// It is no more.
    Closed,
}

/// Who sits where.
#[derive(Default)]
pub(crate) struct Seats(Mutex<HashMap<(Namespace, AgentId), Place>>);

/// A seat and the socket it is on.
type Place = (Weak<Connection>, Weak<Seat>);

impl Seats {
    /// Seats an agent on a socket and begins to push work to it. Whoever sat there before, or wherever the agent sat,
    /// makes room.
    pub(crate) fn take(&self, connection: &Arc<Connection>, agent: Principal, desk: Arc<dyn Desk>) {
        let Some((agent_id, _)) = agent.agent() else {
            return;
        };
        let agent_id = agent_id.clone();
        let key = (agent.namespace.clone(), agent_id.clone());
        let seat = Arc::new(Seat {
            agent,
            agent_id: agent_id.clone(),
            state: watch::Sender::new(State::Open),
            nudge: Notify::new(),
            figures: connection.figures.clone(),
        });
        connection.figures.seats_taken.one_more();
        let place = (Arc::downgrade(connection), Arc::downgrade(&seat));
        let before = {
            let mut seats = self.0.lock();
            if seats.len() == seats.capacity() {
                seats.retain(|_, (_, seat)| seat.strong_count() > 0);
            }
            seats.insert(key, place)
        };
        if let Some((elsewhere, seat)) = before {
            if let Some(seat) = seat.upgrade() {
                seat.close();
            }
            if let Some(elsewhere) = elsewhere.upgrade()
                && !Arc::ptr_eq(&elsewhere, connection)
                && elsewhere.lives_here(&agent_id)
            {
                elsewhere.end(End::AttachedElsewhere);
            }
        }
        if let Some(before) = connection.seat.lock().replace(seat.clone()) {
            before.close();
        }
        if let Some(channel) = connection.channel() {
            channel.add_party(connection.id, Party::Agent(agent_id));
        }
        // Its end may have come in between; a closed seat is pushed nothing.
        if connection.has_ended() {
            seat.close();
        }
        tokio::spawn(push::run(seat, connection.clone(), desk));
    }
}

impl Seat {
    /// Who sits here.
    pub(crate) fn agent(&self) -> &Principal {
        &self.agent
    }

    /// Whether it was left.
    pub(crate) fn is_closed(&self) -> bool {
        *self.state.borrow() == State::Closed
    }

    pub(crate) fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// Nothing new is pushed from now on.
    pub(crate) fn drain(&self) {
        self.state.send_if_modified(|state| {
            let is_open = *state == State::Open;
            if is_open {
                *state = State::Draining;
            }
            is_open
        });
    }

    /// It is left.
    pub(crate) fn close(&self) {
        if self.state.send_replace(State::Closed) != State::Closed {
            self.figures.seats_left.one_more();
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// The agent is alive: it may take work again.
    pub(crate) fn nudge(&self) {
        self.nudge.notify_one();
    }

    pub(super) async fn nudged(&self) {
        self.nudge.notified().await;
    }

    /// Tells the agent that a task it holds should stop. If its line is full, its next heartbeat tells it.
    pub(crate) fn tell_cancel(&self, connection: &Connection, event: Event) {
        let Some(task_id) = event.payload.task_id else {
            return;
        };
        let notice = Notice {
            kind: "task:cancel".to_owned(),
            timestamp: event.timestamp,
            namespace: event.namespace,
            payload: TaskCancel {
                task_id,
                reason: event.payload.message,
            },
        };
        if let Err(why) = connection.send("task:cancel", &notice) {
            tracing::debug!(agent.id = %self.agent_id, ?why, "cannot tell of a wish to cancel; a heartbeat will");
        }
    }
}
