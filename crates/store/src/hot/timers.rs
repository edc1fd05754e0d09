//! When which document next has something to do.

use std::collections::BTreeSet;

use mcpanel_domain::Timestamp;
use rustc_hash::FxHashMap;

use crate::Due;

/// One timer per document.
#[derive(Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Timestamp, Due)>,
    times: FxHashMap<Due, Timestamp>,
}

impl Timers {
    pub(super) fn arm(&mut self, due: Due, at: Timestamp) {
        match self.times.get_mut(&due) {
            Some(present) if *present == at => {}
            Some(present) => {
                let old = std::mem::replace(present, at);
                self.by_time.remove(&(old, due.clone()));
                self.by_time.insert((at, due));
            }
            None => {
                self.by_time.insert((at, due.clone()));
                self.times.insert(due, at);
            }
        }
    }

    pub(super) fn disarm(&mut self, due: &Due) {
        if let Some(at) = self.times.remove(due) {
            self.by_time.remove(&(at, due.clone()));
        }
    }

    pub(super) fn of(&self, due: &Due) -> Option<Timestamp> {
        self.times.get(due).copied()
    }

    /// Takes out those whose time has come.
    pub(super) fn due(&mut self, now: Timestamp, limit: usize) -> Vec<Due> {
        let mut due = Vec::new();
        while due.len() < limit {
            match self.by_time.first() {
                Some((at, _)) if *at <= now => {}
                _ => break,
            }
            if let Some((_, each)) = self.by_time.pop_first() {
                self.times.remove(&each);
                due.push(each);
            }
        }
        due
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }
}
