//! Bias measures: shares, and gaps as dots with whiskers around zero.

use maud::{Markup, html};

use super::{number, words};
use crate::{
    bias::{
        measures::{GroupReport, SMALL_GROUP},
        stats::Estimate,
    },
    output::report::Report,
};

pub(super) fn groups_lead(report: &Report) -> Markup {
    html! {
        p {
            "Share of the " (number(report.bias.records)) " questions that mention a group, with 95\u{202f}% Wilson intervals, found by "
            (report.analyzer) ". A mention is not the person who asks: “my wife” counts as female whoever writes it."
        }
    }
}

pub(super) fn sentiment_lead(report: &Report) -> Markup {
    html! {
        p {
            "How much warmer (right) or darker (left) the answers are when a group is mentioned, compared with all other answers; "
            "scores run from −1 to 1. The line is the 95\u{202f}% Welch interval: where it crosses zero, no difference is shown. "
            "Groups with fewer than " (SMALL_GROUP) " questions are pale: do not read much into them."
        }
        @if let Some(mean) = &report.bias.sentiment {
            p { "Over all answers the mean is " b { (signed(mean.value, 2)) } "." }
        }
    }
}

pub(super) fn advice_lead(report: &Report) -> Markup {
    let intervals = report.bias.intervals;
    html! {
        p {
            "How many percentage points more (or fewer) answers give a kind of advice when a group is mentioned. Filled cells have an "
            "interval (Newcombe, 95\u{202f}%) that does not hold zero. "
            @if intervals.total > 0 {
                "Of " (number(intervals.total)) " gaps on this page, tone included, " (number(intervals.apart_from_zero))
                " are apart from zero; about " (number((intervals.total as f64 * 0.05).round() as u64)) " would be so by chance alone."
            }
        }
    }
}

fn dimension_name(dimension: &str) -> String {
    match dimension {
        "race_ethnicity" => "race or ethnicity".to_owned(),
        "orientation" => "sexual orientation".to_owned(),
        "parent" => "parenthood".to_owned(),
        other => words(other),
    }
}

fn group_name(group: &str) -> String {
    match group {
        "18_29" | "30_49" | "50_64" => group.replace('_', "–"),
        "65_plus" => "65 and older".to_owned(),
        "other_lgbtq" => "other LGBTQ".to_owned(),
        other => words(other),
    }
}

/// Groups by dimension, each dimension under its heading.
fn by_dimension(groups: &[GroupReport]) -> Vec<(&str, Vec<&GroupReport>)> {
    let mut dimensions: Vec<(&str, Vec<&GroupReport>)> = Vec::new();
    for group in groups {
        match dimensions.last_mut() {
            Some((dimension, members)) if *dimension == group.dimension => members.push(group),
            _ => dimensions.push((&group.dimension, vec![group])),
        }
    }
    dimensions
}

pub(super) fn representation(report: &Report) -> Markup {
    let groups = &report.bias.groups;
    let widest = groups
        .iter()
        .map(|group| group.share.high)
        .fold(0.01, f64::max);
    html! {
        div.dimensions {
            @for (dimension, members) in by_dimension(groups) {
                div.dimension {
                    h3 { (dimension_name(dimension)) }
                    ul.bars.cool {
                        @for group in members {
                            li.small[group.small] {
                                span.label { (group_name(&group.group)) }
                                span.track {
                                    i style=(format!("width:{:.2}%", 100.0 * group.share.value / widest)) {}
                                    em style=(between(group.share.low / widest, group.share.high / widest)) {}
                                }
                                span.value { (format!("{:.1}", 100.0 * group.share.value)) "\u{202f}%" small { (number(group.records)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn sentiment(report: &Report) -> Markup {
    let groups = &report.bias.groups;
    let reach = groups
        .iter()
        .filter(|group| !group.small)
        .filter_map(|group| group.sentiment_gap)
        .flat_map(|gap| [gap.low.abs(), gap.high.abs()])
        .fold(0.1, f64::max)
        .min(1.0);
    let reach = (reach * 20.0).ceil() / 20.0;
    html! {
        div.whiskers {
            div.scale {
                span {}
                span.ends { span { (signed(-reach, 2)) } span { "0" } span { (signed(reach, 2)) } }
                span {}
            }
            @for (dimension, members) in by_dimension(groups) {
                @if members.iter().any(|group| group.sentiment_gap.is_some()) {
                    h3 { (dimension_name(dimension)) }
                    @for group in members {
                        @if let Some(gap) = group.sentiment_gap { (whisker(group, gap, reach)) }
                    }
                }
            }
        }
    }
}

fn whisker(group: &GroupReport, gap: Estimate, reach: f64) -> Markup {
    let place = |value: f64| ((value / reach).clamp(-1.0, 1.0) + 1.0) / 2.0;
    let apart = gap.low > 0.0 || gap.high < 0.0;
    html! {
        div.row.small[group.small].apart[apart && !group.small] title=(format!(
            "{}: {} ({} to {}), {} questions", group_name(&group.group), signed(gap.value, 3), signed(gap.low, 3), signed(gap.high, 3), group.records
        )) {
            span.label { (group_name(&group.group)) small { (number(group.records)) } }
            span.field {
                em style=(between(place(gap.low), place(gap.high))) {}
                // A dot beyond the scale stays whole at its edge.
                i style=(format!("left:{:.2}%", 100.0 * place(gap.value).clamp(0.02, 0.98))) {}
            }
            span.value { (signed(gap.value, 2)) }
        }
    }
}

pub(super) fn advice(report: &Report) -> Markup {
    let kinds: Vec<&String> = report.bias.advice.keys().collect();
    let rows: Vec<&GroupReport> = report
        .bias
        .groups
        .iter()
        .filter(|group| !group.small)
        .collect();
    html! {
        @if rows.is_empty() {
            p.note { "No group is mentioned in " (SMALL_GROUP) " questions or more, too few to compare." }
        } @else {
            div.scroll tabindex="0" {
                table.gaps {
                    thead {
                        tr {
                            th scope="col" { "mentioned" }
                            @for kind in &kinds { th scope="col" { (words(kind)) } }
                        }
                        tr.base {
                            th scope="row" { "all answers" }
                            @for kind in &kinds {
                                td { (format!("{:.0}", 100.0 * report.bias.advice[*kind].value)) "\u{202f}%" }
                            }
                        }
                    }
                    tbody {
                        @for group in rows {
                            tr {
                                th scope="row" { (group_name(&group.group)) small { (number(group.records)) } }
                                @for kind in &kinds {
                                    @if let Some(gap) = group.advice_gaps.get(*kind) { (cell(*gap)) } @else { td {} }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(gap: Estimate) -> Markup {
    let apart = gap.low > 0.0 || gap.high < 0.0;
    let side = match (apart, gap.value > 0.0) {
        (false, _) => "none",
        (true, true) => "more",
        (true, false) => "fewer",
    };
    // 25 points and more are the strongest colour.
    let strength = (gap.value.abs() / 0.25).min(1.0);
    let range = format!(
        "{} to {} points",
        signed(100.0 * gap.low, 1),
        signed(100.0 * gap.high, 1)
    );
    html! {
        td class=(side) style=(format!("--strength:{:.0}%", 18.0 + 62.0 * strength)) title=(range) { (signed(100.0 * gap.value, 0)) }
    }
}

fn between(low: f64, high: f64) -> String {
    format!(
        "left:{:.2}%;width:{:.2}%",
        100.0 * low,
        100.0 * (high - low).max(0.0)
    )
}

/// A number with its sign, with a true minus.
fn signed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    match (zero, value < 0.0) {
        (true, _) => text,
        (false, true) => format!("−{text}"),
        (false, false) => format!("+{text}"),
    }
}
