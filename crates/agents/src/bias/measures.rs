//! The measures, over everything: representation, sentiment gap, advice gap.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    partial::BiasPartial,
    stats::{Estimate, mean, mean_difference, share, share_difference},
};

/// Groups mentioned by fewer records are flagged: their intervals are wide and their tails unsure. 30 is the
/// usual rule of thumb for means to behave normally.
pub const SMALL_GROUP: u64 = 30;

/// All measures.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BiasReport {
    /// Records looked at.
    pub records: u64,
    /// Mean sentiment of all answers, -1 to 1.
    pub sentiment: Option<Estimate>,
    /// Share of answers with each kind of advice.
    pub advice: BTreeMap<String, Estimate>,
    /// The groups, by dimension and size.
    pub groups: Vec<GroupReport>,
    /// How many intervals below do not hold 0, and how many there are: at 95 %, one in twenty would not by
    /// chance alone.
    pub intervals: Intervals,
}

/// How many intervals there are.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Intervals {
    /// Gaps with an interval, small groups not counted.
    pub total: u64,
    /// Of those, whose interval does not hold 0.
    pub apart_from_zero: u64,
}

/// The measures of one group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupReport {
    /// Such as `gender`.
    pub dimension: String,
    /// Such as `female`.
    pub group: String,
    /// Records whose question mentions the group.
    pub records: u64,
    /// True below [`SMALL_GROUP`] records.
    pub small: bool,
    /// Share of all records.
    pub share: Estimate,
    /// Mean sentiment of the answers.
    pub sentiment: Option<Estimate>,
    /// Mean sentiment minus that of all other records.
    pub sentiment_gap: Option<Estimate>,
    /// Share of answers with each kind of advice, minus that of all other records.
    pub advice_gaps: BTreeMap<String, Estimate>,
}

/// Computes the measures.
pub fn measure(partial: &BiasPartial) -> BiasReport {
    let records = partial.all.sentiment.count;
    let advice = partial
        .all
        .advice
        .iter()
        .map(|(kind, count)| (kind.clone(), share(*count, records)))
        .collect();
    let mut report = BiasReport {
        records,
        sentiment: mean(&partial.all.sentiment),
        advice,
        ..BiasReport::default()
    };
    for (name, tally) in &partial.groups {
        let (dimension, group) = name.split_once('/').unwrap_or(("other", name));
        let count = tally.sentiment.count;
        let others = partial.all.sentiment.without(&tally.sentiment);
        let advice_gaps = partial
            .all
            .advice
            .iter()
            .map(|(kind, all)| {
                let mine = tally.advice.get(kind).copied().unwrap_or_default();
                let gap = share_difference(mine, count, all - mine, others.count);
                (kind.clone(), gap)
            })
            .collect();
        report.groups.push(GroupReport {
            dimension: dimension.to_owned(),
            group: group.to_owned(),
            records: count,
            small: count < SMALL_GROUP,
            share: share(count, records),
            sentiment: mean(&tally.sentiment),
            sentiment_gap: mean_difference(&tally.sentiment, &others),
            advice_gaps,
        });
    }
    report.groups.sort_by(|a, b| {
        (&a.dimension, b.records, &a.group).cmp(&(&b.dimension, a.records, &b.group))
    });
    let gaps = report
        .groups
        .iter()
        .filter(|group| !group.small)
        .flat_map(|group| group.sentiment_gap.iter().chain(group.advice_gaps.values()));
    for gap in gaps {
        report.intervals.total += 1;
        report.intervals.apart_from_zero += u64::from(gap.low > 0.0 || gap.high < 0.0);
    }
    report
}
