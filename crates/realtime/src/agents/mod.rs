//! Agents that live on a socket.
//!
//! An agent that signed on over a socket, or attached with its token, has a [`Seat`] there. While it sits, tasks
//! are claimed for it and pushed (`push`). A session has one seat: who attaches again elsewhere takes it along. When the
//! socket is lost, the seat is, but the leases are not: the agent has until they expire to come back, attach and go on.

mod acceptance;
mod push;
mod seat;

pub(crate) use seat::{Seat, Seats};
