//! Counts of a part of the records that merge exactly: integers only, so order cannot matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::BiasNotes;

/// Number, sum and sum of squares of sentiments in thousandths. A thousand million records of the largest
/// score give 10¹⁵, far from the bound of the integers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: i64,
    /// The sum of their squares.
    pub squares: u64,
}

impl Moments {
    fn add(&mut self, value: i64) {
        self.count += 1;
        self.sum += value;
        self.squares += value.unsigned_abs().pow(2);
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// What is left when a part is taken away.
    pub fn without(&self, part: &Self) -> Self {
        Self {
            count: self.count.saturating_sub(part.count),
            sum: self.sum - part.sum,
            squares: self.squares.saturating_sub(part.squares),
        }
    }
}

/// Counts of some records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many records, and their sentiments.
    pub sentiment: Moments,
    /// How many of them give each kind of advice.
    pub advice: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, notes: &BiasNotes) {
        self.sentiment.add(notes.sentiment_milli);
        for kind in &notes.advice {
            *self.advice.entry(kind.clone()).or_default() += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.sentiment.merge(&other.sentiment);
        for (kind, count) in &other.advice {
            *self.advice.entry(kind.clone()).or_default() += count;
        }
    }
}

/// Counts of all records and of those that mention each group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BiasPartial {
    /// All records.
    pub all: Tally,
    /// Records that mention a group, by `dimension/group`.
    pub groups: BTreeMap<String, Tally>,
}

impl BiasPartial {
    /// Counts one record.
    pub fn add(&mut self, notes: &BiasNotes) {
        self.all.add(notes);
        for group in &notes.groups {
            self.groups.entry(group.clone()).or_default().add(notes);
        }
    }

    /// Adds another part.
    pub fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        for (group, tally) in &other.groups {
            self.groups.entry(group.clone()).or_default().merge(tally);
        }
    }
}
