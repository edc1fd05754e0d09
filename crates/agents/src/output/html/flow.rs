//! Records through the stages: a ribbon that narrows where records leave.

use maud::{Markup, PreEscaped, html};

use super::{number, percent, words};
use crate::output::report::{Report, StageFlow};

/// The picture's own units; it is stretched to the page.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 150.0;
/// Where the ribbon ends at most; below, the records that leave fall out.
const RIBBON: f64 = 120.0;

pub(super) fn lead(report: &Report) -> Markup {
    let worst = report
        .stages
        .iter()
        .max_by_key(|stage| stage.dropped.values().sum::<u64>())
        .filter(|stage| !stage.dropped.is_empty());
    html! {
        p {
            "The height of the ribbon is the number of records; what falls out of it was left out at that stage."
            @if let Some(stage) = worst {
                " Most records were left out by " b { (words(&stage.stage)) } "."
            }
        }
    }
}

pub(super) fn chart(report: &Report) -> Markup {
    let rows = report.rows().max(1);
    let columns = report.stages.len().max(1);
    html! {
        div.flow style=(format!("--columns:{columns}")) {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label="Records through the stages" {
                (PreEscaped(ribbons(&report.stages, rows)))
            }
            ol.stages {
                @for (index, stage) in report.stages.iter().enumerate() {
                    li {
                        span.order { (index + 1) }
                        b { (words(&stage.stage)) }
                        span.out { (number(stage.records_out)) small { (percent(stage.records_out, rows)) } }
                        @let left: u64 = stage.dropped.values().sum();
                        @if left > 0 { span.left { "−" (number(left)) } }
                    }
                }
            }
        }
    }
}

/// One ribbon per stage, and under it what falls out. Numbers only, so no text needs escaping.
fn ribbons(stages: &[StageFlow], rows: u64) -> String {
    let step = WIDTH / stages.len().max(1) as f64;
    let height = |records: u64| RIBBON * records as f64 / rows as f64;
    let mut picture = String::new();
    for (index, stage) in stages.iter().enumerate() {
        let left = index as f64 * step;
        let (middle, right) = (left + step * 0.5, left + step);
        let (before, after) = (height(stage.records_in), height(stage.records_out));
        picture.push_str(&format!(
            "<path class=\"ribbon r{index}\" d=\"M{left:.1} 0 L{left:.1} {before:.1} C{middle:.1} {before:.1} {middle:.1} {after:.1} \
             {right:.1} {after:.1} L{right:.1} 0 Z\"/>"
        ));
        if stage.records_in > stage.records_out {
            // What leaves bends down and fades, as wide as it is many (but never invisible).
            let lost = (before - after).max(1.5);
            let (start, end) = (left + step * 0.12, left + step * 0.62);
            picture.push_str(&format!(
                "<path class=\"lost\" d=\"M{left:.1} {top:.1} C{start:.1} {top:.1} {end:.1} {top:.1} {end:.1} {HEIGHT} \
                 L{inner:.1} {HEIGHT} C{inner:.1} {before:.1} {start:.1} {before:.1} {left:.1} {before:.1} Z\"/>",
                top = before - lost,
                inner = end - lost.max(3.0),
            ));
        }
    }
    picture
}
