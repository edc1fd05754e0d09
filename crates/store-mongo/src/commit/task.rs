//! A changed task, and what is written of it.

use std::sync::Arc;

use mcpanel_domain::{Payload, TaskId, Timestamp, task::Task};
use mongodb::bson::RawArrayBuf;

use super::{merge::Update, waits::Waits};
use crate::documents::{
    Fields, Large, derived,
    fields::difference,
    payload::{self, INLINE_BYTES_MAX, PART_BYTES_MAX},
    phase::{self, Dependencies},
    tags, task,
};

/// A changed task.
pub struct TaskWrite {
    /// Before.
    pub old: Option<Arc<Task>>,
    /// After.
    pub new: Arc<Task>,
    /// Its input, if that is written.
    pub parameters: Option<Payload>,
    /// Its output, if that is written.
    pub result: Option<Payload>,
}

impl TaskWrite {
    /// The values that are too large for the document. They are stored before the transaction begins.
    pub fn collect_large(&self, into: &mut Vec<Large>) {
        let own = [&self.parameters, &self.result].into_iter().flatten();
        let errors = self.new.attempts.iter().map(|attempt| &attempt.error);
        let details = errors
            .chain([&self.new.error])
            .flatten()
            .filter_map(|error| error.details.as_ref());
        let mut parts = details.chain(&self.new.metadata);
        if parts.any(|part| part.size_bytes() > PART_BYTES_MAX) {
            task::encode(&self.new, into);
        }
        if own
            .into_iter()
            .any(|each| each.size_bytes() > INLINE_BYTES_MAX)
        {
            self.payloads(into);
        }
    }

    fn payloads(&self, large: &mut Vec<Large>) -> (Fields, Vec<String>) {
        let mut set = Fields::new();
        let mut unset = Vec::new();
        let both = [("parameters", &self.parameters), ("result", &self.result)];
        for (name, payload) in both {
            if let Some(payload) = payload {
                payload::put(&mut set, name, payload, INLINE_BYTES_MAX, large);
                unset.extend(payload::other_names(&set, name));
            }
        }
        (set, unset)
    }

    /// The fields of a new document.
    pub fn insert(&self, waits: Option<&Waits>, now: Timestamp) -> Fields {
        let mut stored = Vec::new();
        let mut fields = task::encode(&self.new, &mut stored);
        extend(&mut fields, &self.payloads(&mut stored).0);
        let live = !self.new.status().is_terminal();
        let waits = waits.filter(|_| live);
        put_tags(&mut fields, &self.new, waits);
        if live {
            fields.put_date_opt(derived::DUE, self.new.next_due(Timestamp::ZERO));
            fields.put_opt(
                derived::PHASE,
                phase::of(&self.new, dependencies(waits), now),
            );
            if let Some(waits) = waits {
                put_waits(&mut fields, waits);
            }
        }
        fields
    }

    /// What changes in the document of which `old` is known.
    pub fn update(&self, old: &Task, waits: Option<&Waits>, now: Timestamp) -> Update {
        let mut stored = Vec::new();
        let before = task::encode(old, &mut stored);
        let after = task::encode(&self.new, &mut stored);
        let (mut set, mut unset) = difference(before.raw(), after.raw());
        let (payloads, others) = self.payloads(&mut stored);
        extend(&mut set, &payloads);
        unset.extend(others);
        let live = !self.new.status().is_terminal();
        let waits = waits.filter(|_| live);
        let waits_no_more =
            !old.dependencies.is_empty() && (self.new.dependencies.is_empty() || !live);
        let waits_anew = waits_no_more || waits.is_some();
        if waits_anew || tags::of(old, &[]) != tags::of(&self.new, &[]) {
            put_tags(&mut set, &self.new, waits);
        }
        // The others move without a revision, so they are always said.
        let mut moved = Fields::new();
        let mut movable = vec![derived::DUE];
        if live {
            moved.put_date_opt(derived::DUE, self.new.next_due(Timestamp::ZERO));
        }
        // What waits for others, or may, is settled by the same transaction.
        if self.new.dependencies.is_empty() || waits.is_some() || !live {
            movable.push(derived::PHASE);
            if live {
                let phase = phase::of(&self.new, dependencies(waits), now);
                moved.put_opt(derived::PHASE, phase);
            }
        }
        if waits_anew {
            movable.extend([derived::WAITING_ON, derived::DOOMED_BY]);
        }
        if let Some(waits) = waits {
            put_waits(&mut moved, waits);
        }
        for name in movable {
            if !matches!(moved.raw().get(name), Ok(Some(_))) {
                unset.push(name.to_owned());
            }
        }
        extend(&mut set, &moved);
        Update {
            namespace: self.new.namespace.clone(),
            id: self.new.id.clone(),
            revision: self.new.revision.wrapping_sub(1),
            set,
            unset,
        }
    }
}

fn dependencies(waits: Option<&Waits>) -> Dependencies {
    match waits {
        Some(waits) if !waits.doomed.is_empty() => Dependencies::Dead,
        Some(waits) if !waits.on.is_empty() => Dependencies::Open,
        _ => Dependencies::Completed,
    }
}

fn put_tags(fields: &mut Fields, task: &Task, waits: Option<&Waits>) {
    let waiting_on = waits.map_or(&[][..], |waits| &waits.on);
    let tags: RawArrayBuf = tags::of(task, waiting_on).into_iter().collect();
    fields.put(derived::TAGS, tags);
}

fn put_waits(fields: &mut Fields, waits: &Waits) {
    for (name, ids) in [
        (derived::WAITING_ON, &waits.on),
        (derived::DOOMED_BY, &waits.doomed),
    ] {
        if !ids.is_empty() {
            fields.put_texts(name, ids.iter().map(TaskId::as_str));
        }
    }
}

fn extend(fields: &mut Fields, more: &Fields) {
    for (name, value) in more.raw().iter().flatten() {
        fields.put(name.as_str(), value);
    }
}
