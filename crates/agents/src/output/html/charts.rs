//! Bars, histograms, stacked bars: boxes placed in percent.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{number, percent, words};
use crate::output::{
    report::{Lengths, Report},
    split,
};

/// Topics shown; the rest is one bar.
const TOPICS_SHOWN: usize = 20;

/// One bar of a list.
pub(super) struct Bar {
    /// What it is.
    pub label: String,
    /// A smaller word beside it.
    pub note: String,
    /// How long.
    pub value: u64,
}

/// A list of bars, longest first, each with its number.
pub(super) fn bars(mut items: Vec<Bar>, class: &str) -> Markup {
    items.sort_by(|a, b| (b.value, &a.label).cmp(&(a.value, &b.label)));
    let longest = items.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    html! {
        ul.bars.(class) {
            @for bar in &items {
                li {
                    span.label { (bar.label) @if !bar.note.is_empty() { small { (bar.note) } } }
                    span.track { i style=(format!("width:{:.2}%", 100.0 * bar.value as f64 / longest as f64)) {} }
                    span.value { (number(bar.value)) }
                }
            }
        }
    }
}

fn from_counts(counts: &BTreeMap<String, u64>, name: impl Fn(&str) -> String) -> Vec<Bar> {
    counts
        .iter()
        .map(|(key, value)| Bar {
            label: name(key),
            note: String::new(),
            value: *value,
        })
        .collect()
}

pub(super) fn drops(report: &Report) -> Markup {
    let mut items = Vec::new();
    for stage in &report.stages {
        for (reason, count) in &stage.dropped {
            items.push(Bar {
                label: words(reason),
                note: words(&stage.stage),
                value: *count,
            });
        }
    }
    bars(items, "warm")
}

pub(super) fn identifiers(report: &Report) -> Markup {
    bars(
        from_counts(&report.identifiers, |kind| words(&kind.to_lowercase())),
        "cool",
    )
}

pub(super) fn flags(report: &Report) -> Markup {
    let name = |flag: &str| words(flag.strip_prefix("crisis_").unwrap_or(flag));
    bars(from_counts(&report.flags, name), "warm")
}

pub(super) fn topics(report: &Report) -> Markup {
    let mut items = from_counts(&report.topics, str::to_owned);
    items.sort_by(|a, b| (b.value, &a.label).cmp(&(a.value, &b.label)));
    let rest: u64 = items.iter().skip(TOPICS_SHOWN).map(|bar| bar.value).sum();
    let hidden = items.len().saturating_sub(TOPICS_SHOWN);
    items.truncate(TOPICS_SHOWN);
    html! {
        (bars(items, "cool two-columns"))
        @if hidden > 0 { p.note { "and " (number(hidden as u64)) " more topics, " (number(rest)) " times" } }
    }
}

pub(super) fn lengths(report: &Report) -> Markup {
    let chart = |name: &str, title: &str| {
        report
            .lengths
            .get(name)
            .map(|lengths| histogram(lengths, title))
    };
    html! {
        div.pair {
            @if let Some(chart) = chart("question_words", "Questions") { (chart) }
            @if let Some(chart) = chart("answer_words", "Answers") { (chart) }
        }
    }
}

fn histogram(lengths: &Lengths, title: &str) -> Markup {
    let buckets = &lengths.histogram.buckets;
    let highest = buckets.iter().copied().max().unwrap_or(0).max(1);
    let label = |index: usize| match lengths.bounds.get(index) {
        Some(bound) => format!("≤\u{202f}{bound}"),
        None => format!(">\u{202f}{}", lengths.bounds.last().copied().unwrap_or(0)),
    };
    html! {
        figure {
            figcaption { (title) small { "mean " (lengths.mean) ", shortest " (lengths.histogram.min) ", longest " (number(lengths.histogram.max)) } }
            div.histogram {
                @for (index, count) in buckets.iter().enumerate() {
                    div.column title=(format!("{} words: {}", label(index), count)) {
                        span.count { @if *count > 0 { (number(*count)) } }
                        i style=(format!("height:{:.2}%", 100.0 * *count as f64 / highest as f64)) {}
                    }
                }
            }
            div.axis {
                @for index in 0..buckets.len() { span { (label(index)) } }
            }
        }
    }
}

pub(super) fn splits(report: &Report) -> Markup {
    let total = report.records();
    let of = |name: &str| report.splits.get(name).copied().unwrap_or_default();
    html! {
        div.stack {
            @for (index, name) in split::NAMES.iter().enumerate() {
                @let count = of(name);
                @if count.records > 0 {
                    span class=(format!("part part-{index}")) style=(format!("flex-grow:{}", count.records)) {}
                }
            }
        }
        div.legend {
            @for (index, name) in split::NAMES.iter().enumerate() {
                @let count = of(name);
                div {
                    i class=(format!("part-{index}")) {}
                    b { (name) }
                    span { (number(count.records)) " conversations, " (percent(count.records, total)) ", " (super::compact(count.tokens)) " tokens" }
                }
            }
        }
    }
}
