//! Socket.IO: agents that live on a socket, and people who watch.
//!
//! This crate is an edge, like the REST routes: it unpacks, authorizes, calls one function and converts. It knows the wire
//! and who calls; what it needs of the rest stands in three [`ports`]:
//!
//! - [`Identify`](ports::Identify): whose credential a handshake shows
//! - [`Follow`](ports::Follow): what happened, by number; over the store of the same process, or over a stream alone
//! - [`Desk`](ports::Desk): what agents call. Without one, an instance only shows events
//!
//! A socket's life: `gate` looks at the HTTP request (origin, number of sockets, credentials in the query),
//! `connect` at the handshake; then each message passes its socket's bounds (`flood`), waits in its lane (`lanes`) and
//! reaches `calls`. Going out there are two ways: `hub` tells subscribers of rooms what happens, from the number they have
//! on and at the speed at which they read; `agents` pushes tasks to agents and takes back what nobody accepts.
//!
//! Whatever ends a socket says why first (`end`), and is counted ([`Figures`]). Every bound is in [`limits`].

mod agents;
mod calls;
mod connect;
mod connection;
mod end;
mod figures;
mod flood;
mod gate;
mod hub;
mod lanes;
pub mod limits;
mod listen;
pub mod ports;
pub mod refusal;
mod room;
mod server;
mod settings;

pub use figures::Figures;
pub use server::{Parts, Realtime};
pub use settings::{CallRate, Patience, Settings};
