//! What happened to tasks, minute by minute.

use std::collections::BTreeMap;

use mcpanel_domain::{
    Namespace, Timestamp,
    sample::{Activity, minute_of},
    task::Task,
};
use rustc_hash::FxHashMap;

use crate::ACTIVITY_MINUTES_KEPT;

/// The newest minutes of each namespace.
#[derive(Default)]
pub(super) struct Activities(FxHashMap<Namespace, BTreeMap<Timestamp, Activity>>);

impl Activities {
    pub(super) fn record(&mut self, old: Option<&Task>, new: &Task) {
        let minute = minute_of(new.updated_at);
        let minutes = match self.0.get_mut(&new.namespace) {
            Some(minutes) => minutes,
            None => self.0.entry(new.namespace.clone()).or_default(),
        };
        minutes.entry(minute).or_default().record(old, new);
        trim(minutes);
    }

    pub(super) fn restore(&mut self, namespace: &Namespace, minute: Timestamp, was: Activity) {
        let minutes = self.0.entry(namespace.clone()).or_default();
        minutes.insert(minute, was);
        trim(minutes);
    }

    pub(super) fn of(&self, namespace: &Namespace, minute: Timestamp) -> Activity {
        self.0
            .get(namespace)
            .and_then(|minutes| minutes.get(&minute))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Namespace, Timestamp, &Activity)> {
        self.0.iter().flat_map(|(namespace, minutes)| {
            minutes
                .iter()
                .map(move |(minute, activity)| (namespace, *minute, activity))
        })
    }
}

fn trim(minutes: &mut BTreeMap<Timestamp, Activity>) {
    while minutes.len() > ACTIVITY_MINUTES_KEPT {
        minutes.pop_first();
    }
}
