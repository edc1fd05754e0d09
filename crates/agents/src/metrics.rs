//! Counters that a task leaves behind as a `metrics` artifact. Two tasks' metrics merge exactly, in any order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bias::partial::BiasPartial,
    io::outputs,
    job::{Job, role},
    stage::{StageError, Summary},
};

/// Upper bounds of the buckets of every length histogram, in words; the last bucket is open.
pub const LENGTH_BOUNDS: [u64; 12] = [10, 25, 50, 75, 100, 150, 200, 300, 400, 600, 1000, 2000];

/// Different values kept per counter; the rest is counted under [`OTHER`]. A file whose every row has its
/// own topic would otherwise grow memory without end. 10,000 short texts stay near 1 MB.
pub const VALUES_MAX: usize = 10_000;

/// Where a counter's values beyond [`VALUES_MAX`] are counted.
pub const OTHER: &str = "(other)";

/// What one task, or one stage after merging, counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageMetrics {
    /// The task type of the stage.
    pub stage: String,
    /// Records read.
    pub records_in: u64,
    /// Records handed on.
    pub records_out: u64,
    /// Records not handed on, by their first reason: `records_in = records_out + sum(dropped)`.
    #[serde(default)]
    pub dropped: BTreeMap<String, u64>,
    /// Named counters: `pii`, `topics`, `flags`, …
    #[serde(default)]
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Named histograms of lengths in words.
    #[serde(default)]
    pub histograms: BTreeMap<String, Histogram>,
    /// Facts that one single task found out: format, encoding, columns.
    #[serde(default)]
    pub facts: BTreeMap<String, Value>,
    /// Bias measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<BiasPartial>,
}

impl StageMetrics {
    /// Nothing counted yet.
    pub fn new(stage: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            ..Self::default()
        }
    }

    /// Counts a record that is not handed on.
    pub fn drop_record(&mut self, reason: &str) {
        *self.dropped.entry(reason.to_owned()).or_default() += 1;
    }

    /// Adds to a named counter.
    pub fn count(&mut self, counter: &str, value: &str, by: u64) {
        if by == 0 {
            return;
        }
        if !self.counters.contains_key(counter) {
            self.counters.insert(counter.to_owned(), BTreeMap::new());
        }
        let values = self.counters.get_mut(counter).expect("inserted above");
        let full = values.len() >= VALUES_MAX;
        match values.get_mut(value) {
            Some(count) => *count += by,
            None if !full => {
                values.insert(value.to_owned(), by);
            }
            None => *values.entry(OTHER.to_owned()).or_default() += by,
        }
    }

    /// Adds one length in words to a named histogram.
    pub fn length(&mut self, histogram: &str, words: u64) {
        self.histograms
            .entry(histogram.to_owned())
            .or_default()
            .add(words);
    }

    /// Adds what another task of the same stage counted.
    pub fn merge(&mut self, other: &Self) {
        self.records_in += other.records_in;
        self.records_out += other.records_out;
        for (reason, count) in &other.dropped {
            *self.dropped.entry(reason.clone()).or_default() += count;
        }
        for (counter, values) in &other.counters {
            for (value, by) in values {
                self.count(counter, value, *by);
            }
        }
        for (name, histogram) in &other.histograms {
            self.histograms
                .entry(name.clone())
                .or_default()
                .merge(histogram);
        }
        for (name, fact) in &other.facts {
            self.facts
                .entry(name.clone())
                .or_insert_with(|| fact.clone());
        }
        if let Some(bias) = &other.bias {
            self.bias
                .get_or_insert_with(BiasPartial::default)
                .merge(bias);
        }
    }

    /// Writes the `metrics` artifact and answers with the counts for the task's result.
    pub fn publish(&self, job: &dyn Job, name: &str) -> Result<Summary, StageError> {
        outputs::write_json(job, name, role::METRICS, self)?;
        let mut summary = Summary::new();
        summary.insert("records_in".into(), self.records_in.into());
        summary.insert("records_out".into(), self.records_out.into());
        summary.insert("dropped".into(), json(&self.dropped));
        for (name, values) in &self.counters {
            if values.len() <= SUMMARY_VALUES_MAX {
                summary.insert(name.clone(), json(values));
            }
        }
        for (name, fact) in &self.facts {
            summary.insert(name.clone(), fact.clone());
        }
        Ok(summary)
    }
}

/// A counter with more values than this stays in the artifact: a task's result is a small document.
const SUMMARY_VALUES_MAX: usize = 40;

fn json(values: &BTreeMap<String, u64>) -> Value {
    values
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(*value)))
        .collect()
}

/// Lengths in words, in the buckets of [`LENGTH_BOUNDS`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Count per bucket; one more bucket than bounds.
    pub buckets: [u64; LENGTH_BOUNDS.len() + 1],
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The smallest; 0 when there is none.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

impl Histogram {
    /// Adds one value.
    pub fn add(&mut self, value: u64) {
        let bucket = LENGTH_BOUNDS.partition_point(|bound| *bound < value);
        self.buckets[bucket] += 1;
        self.min = if self.count == 0 {
            value
        } else {
            self.min.min(value)
        };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += value;
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += theirs;
        }
        self.min = if self.count == 0 {
            other.min
        } else {
            self.min.min(other.min)
        };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
    }

    /// The mean, 0 when empty.
    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum as f64 / self.count as f64
        }
    }
}

#[cfg(test)]
mod tests;
