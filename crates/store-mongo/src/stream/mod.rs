//! Events on their way between instances: a Redis stream in which each entry is a run of numbered events.
//!
//! The number of an entry's last event is the entry's id, so that Redis itself refuses what was published before,
//! and what comes after a number can be asked for. Publishing is in order: a run that does not follow on the last is held
//! back until what is missing was put in, from MongoDB if need be. Readers meet a gap all the same when
//! the stream was lost or trimmed; they are told, and MongoDB has the rest.
//!
//! - [`EventStream`]: following, which needs nothing but Redis
//! - [`Publisher`]: publishing, behind a bounded queue

mod follow;
mod publish;
mod ring;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use mcpanel_domain::event::Numbered;
use redis::streams::StreamId;

pub use follow::{EventStream, Replay};
pub(crate) use publish::Publisher;

/// Events that the stream keeps, about: with 300 bytes each that is 30 MB, and at a thousand a second
/// it lets a follower be away for more than a minute.
pub const EVENTS_KEPT: u64 = 100_000;

/// The field of an entry that holds the number of its first event.
const FIRST: &str = "first";

/// The field of an entry that holds its events, as a JSON array.
const EVENTS: &str = "events";

/// A run of events without gaps.
struct Run {
    first: u64,
    events: Vec<Arc<Numbered>>,
}

/// Reads an entry. One that this program does not understand (a newer one wrote it) is a gap to it.
fn read(entry: &StreamId) -> Option<Run> {
    let first: u64 = entry.get(FIRST)?;
    let json: String = entry.get(EVENTS)?;
    let events: Vec<Arc<Numbered>> = serde_json::from_str(&json).ok()?;
    let follows = |(at, event): (usize, &Arc<Numbered>)| event.seq == first + at as u64;
    events
        .iter()
        .enumerate()
        .all(follows)
        .then_some(Run { first, events })
}

/// The number in an entry's id.
fn last_of(id: &str) -> Option<u64> {
    id.split_once('-')?.0.parse().ok()
}
