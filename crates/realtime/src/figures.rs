//! What is counted, for machines that watch.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

use crate::{calls::EVENTS, end::End, refusal::Refusal};

/// What happened on the sockets of this process, since it began.
#[derive(Default)]
pub struct Figures {
    pub(crate) opened: Counter,
    pub(crate) closed: Counter,
    /// Those whose peers went.
    pub(crate) left: Counter,
    ended: [Counter; End::ALL.len()],
    /// Few, and never in the way of what works.
    refused: Mutex<BTreeMap<&'static str, u64>>,
    pub(crate) calls_answered: Counter,
    pub(crate) calls_refused: Counter,
    /// Beyond the bounds of their sockets.
    pub(crate) calls_flooding: Counter,
    /// By name, and those of no known name at the end.
    messages: [Counter; EVENTS.len() + 1],
    pub(crate) seats_taken: Counter,
    pub(crate) seats_left: Counter,
    pub(crate) events_told: Counter,
    pub(crate) resyncs: Counter,
    pub(crate) deliveries_begun: Counter,
    deliveries: [Counter; Fate::ALL.len()],
}

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What became of the delivery of a task to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The agent has it.
    Accepted,
    /// It said no.
    Refused,
    /// It said nothing in time.
    Late,
    /// Its socket ended, or took nothing.
    Lost,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Accepted, Self::Refused, Self::Late, Self::Lost];

    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Lost => "lost",
        }
    }
}

impl Figures {
    pub(crate) fn ended(&self, why: End) {
        self.ended[why as usize].one_more();
    }

    /// A message came in. Names that nothing listens to are the callers' and have one count together.
    pub(crate) fn received(&self, event: &str) {
        let known = EVENTS.iter().position(|known| *known == event);
        self.messages[known.unwrap_or(EVENTS.len())].one_more();
    }

    pub(crate) fn refused(&self, code: &str) {
        let known = Refusal::ALL.iter().find(|(known, ..)| *known == code);
        let code = known.map_or("other", |(known, ..)| known);
        *self.refused.lock().entry(code).or_default() += 1;
    }

    pub(crate) fn delivered(&self, fate: Fate) {
        self.deliveries[fate as usize].one_more();
    }

    /// Sockets that are open now.
    pub fn open(&self) -> u64 {
        // Read first: a socket that opens and closes in between must not make it negative.
        let closed = self.closed.get();
        self.opened.get().saturating_sub(closed)
    }

    /// Sockets that are open now, by who is at their other end: `agent` where one lives, or else `watcher`.
    pub fn by_kind(&self) -> [(&'static str, u64); 2] {
        let left = self.seats_left.get();
        let agents = self.seats_taken.get().saturating_sub(left);
        let watchers = self.open().saturating_sub(agents);
        [("agent", agents), ("watcher", watchers)]
    }

    /// Sockets that were let in.
    pub fn opened(&self) -> u64 {
        self.opened.get()
    }

    /// Sockets that ended, by the code that their peers were told; `left` for those whose peers went.
    pub fn ends(&self) -> Vec<(&'static str, u64)> {
        let told = End::ALL.iter().zip(&self.ended);
        let left = [("left", self.left.get())];
        told.map(|(end, count)| (end.code(), count.get()))
            .chain(left)
            .collect()
    }

    /// Sockets that were ended because their peers took nothing for too long.
    pub fn slow_readers(&self) -> u64 {
        self.ended[End::SlowReader as usize].get()
    }

    /// Handshakes that were refused, by the problem's code.
    pub fn refusals(&self) -> Vec<(&'static str, u64)> {
        let refused = self.refused.lock();
        refused
            .iter()
            .map(|(code, count)| (*code, *count))
            .collect()
    }

    /// Messages that came over sockets, by event; `other` for those that nothing listens to.
    pub fn messages(&self) -> Vec<(&'static str, u64)> {
        let names = EVENTS.iter().chain(&["other"]);
        names
            .zip(&self.messages)
            .map(|(name, count)| (*name, count.get()))
            .collect()
    }

    /// Calls over sockets, by what became of them: `answered`, `refused` with a problem, or `too_many`, refused unread
    /// because they were beyond the bounds of their sockets.
    pub fn calls(&self) -> [(&'static str, u64); 3] {
        [
            ("answered", self.calls_answered.get()),
            ("refused", self.calls_refused.get()),
            ("too_many", self.calls_flooding.get()),
        ]
    }

    /// Events that were written to sockets: one for each socket that is told of it.
    pub fn events_told(&self) -> u64 {
        self.events_told.get()
    }

    /// How often a socket was told that events are missing.
    pub fn resyncs(&self) -> u64 {
        self.resyncs.get()
    }

    /// Deliveries of tasks that wait for an agent's word.
    pub fn deliveries_waiting(&self) -> u64 {
        let settled: u64 = self.deliveries.iter().map(Counter::get).sum();
        self.deliveries_begun.get().saturating_sub(settled)
    }

    /// Deliveries of tasks to agents, by what became of them: `accepted`, `refused`, `late`, `lost`.
    pub fn deliveries(&self) -> Vec<(&'static str, u64)> {
        let counted = Fate::ALL.iter().zip(&self.deliveries);
        counted
            .map(|(fate, count)| (fate.word(), count.get()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_and_fate_has_its_own_count() {
        let figures = Figures::default();
        for (times, end) in (1..).zip(End::ALL) {
            for _ in 0..times {
                figures.ended(end);
            }
        }
        let mut codes: Vec<&str> = figures.ends().iter().map(|(code, _)| *code).collect();
        for (expected, (code, count)) in (1..).zip(figures.ends()) {
            assert_eq!(count, if code == "left" { 0 } else { expected }, "{code}");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), End::ALL.len() + 1);
        for _ in 0..5 {
            figures.deliveries_begun.one_more();
        }
        for fate in Fate::ALL {
            figures.delivered(fate);
        }
        assert_eq!(figures.deliveries_waiting(), 1);
        assert!(figures.deliveries().iter().all(|(_, count)| *count == 1));
    }

    #[test]
    fn messages_are_counted_by_names_that_are_listened_to() {
        let figures = Figures::default();
        for event in ["subscribe", "no:such", "subscribe", "x\"y"] {
            figures.received(event);
        }
        let heard = figures
            .messages()
            .into_iter()
            .filter(|(_, count)| *count > 0);
        let expected = [("subscribe", 2), ("other", 2)];
        assert_eq!(heard.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn refusals_are_counted_by_codes_that_there_are() {
        let figures = Figures::default();
        for code in ["unauthenticated", "overloaded", "unauthenticated", "x\"y"] {
            figures.refused(code);
        }
        let expected = [("other", 1), ("overloaded", 1), ("unauthenticated", 2)];
        assert_eq!(figures.refusals(), expected);
    }
}
