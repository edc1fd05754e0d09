//! Charts, drawn here as SVG in the page's own colours. Each says what it shows in words too.

use maud::{Markup, html};

/// Width of a drawing, in its own units; it stretches to its place.
const WIDTH: f64 = 600.0;

/// Height of a drawing.
const HEIGHT: f64 = 140.0;

/// A stack of values at one moment.
pub struct Column {
    /// What it is called: its moment.
    pub label: String,
    /// One value for each series.
    pub values: Vec<u64>,
}

/// A series: its word and the class that gives its colour.
pub struct Series<'a> {
    /// The word.
    pub word: &'a str,
    /// The class.
    pub tone: &'a str,
}

/// Columns over time, stacked.
#[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred units")]
pub fn columns(title: &str, series: &[Series<'_>], columns: &[Column]) -> Markup {
    let highest = columns
        .iter()
        .map(|column| column.values.iter().sum::<u64>())
        .max()
        .unwrap_or(0);
    let top = rounded_up(highest);
    let step = WIDTH / columns.len().max(1) as f64;
    let gap = (step * 0.18).min(2.0);
    let height = |value: u64| value as f64 / top.max(1) as f64 * HEIGHT;
    html! {
        figure.chart {
            div.chart-frame {
                span.chart-top aria-hidden="true" { (super::text::count(top)) }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(title) {
                    @for quarter in 0..=4 {
                        @let y = HEIGHT * f64::from(quarter) / 4.0;
                        line.grid x1="0" x2=(WIDTH) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                    }
                    @for (at, column) in columns.iter().enumerate() {
                        @let places = stack(&column.values, height);
                        @for ((y, tall), line) in places.iter().zip(series) {
                            @if *tall > 0.0 {
                                rect class={ "fill " (line.tone) } x=(format!("{:.2}", at as f64 * step + gap / 2.0))
                                    width=(format!("{:.2}", (step - gap).max(0.5))) y=(format!("{y:.2}")) height=(format!("{tall:.2}")) {
                                    title { (column.label) ": " (words(&column.values, series)) }
                                }
                            }
                        }
                    }
                }
            }
            div.chart-axis aria-hidden="true" {
                @for label in axis(columns) { span { (label) } }
            }
            figcaption {
                ul.legend { @for line in series { li { span class={ "swatch " (line.tone) } {} (line.word) } } }
            }
        }
    }
}

/// From the bottom up: where each part begins, and how tall it is.
fn stack(values: &[u64], height: impl Fn(u64) -> f64) -> Vec<(f64, f64)> {
    let mut top = HEIGHT;
    values
        .iter()
        .map(|value| {
            let tall = height(*value);
            top -= tall;
            (top, tall)
        })
        .collect()
}

/// A line over time, with the area under it.
#[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred units")]
pub fn spark(title: &str, values: &[u64], tone: &str) -> Markup {
    let top = values.iter().copied().max().unwrap_or(0).max(1);
    let step = 100.0 / values.len().saturating_sub(1).max(1) as f64;
    let points: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let y = 24.0 - *value as f64 / top as f64 * 22.0;
            format!("{:.2},{y:.2}", at as f64 * step)
        })
        .collect();
    let line = points.join(" ");
    html! {
        svg class={ "spark " (tone) } viewBox="0 0 100 25" preserveAspectRatio="none" role="img" aria-label=(title) {
            @if values.len() > 1 {
                polygon.area points={ "0,25 " (line) " 100,25" } {}
                polyline.line points=(line) {}
            }
        }
    }
}

/// What a column says, in words.
fn words(values: &[u64], series: &[Series<'_>]) -> String {
    series
        .iter()
        .zip(values)
        .map(|(line, value)| format!("{value} {}", line.word))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The first, the middle and the last moment.
fn axis(columns: &[Column]) -> Vec<&str> {
    match columns {
        [] => Vec::new(),
        [only] => vec![&only.label],
        many => vec![
            &many[0].label,
            &many[many.len() / 2].label,
            &many[many.len() - 1].label,
        ],
    }
}

/// A round figure at or above a value: 1, 2 or 5 times a power of ten.
fn rounded_up(value: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let round = power.saturating_mul(step);
            if round >= value || round == u64::MAX {
                return round.max(4);
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_a_chart_is_a_round_figure() {
        for (value, top) in [(0, 4), (3, 5), (7, 10), (11, 20), (201, 500), (1_000, 1_000)] {
            assert_eq!(rounded_up(value), top);
        }
        assert_eq!(rounded_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_label_from_outside_cannot_leave_its_place() {
        let drawn = columns(
            "</svg><script>",
            &[Series { word: "<b>", tone: "t-good" }],
            &[Column { label: "\"<script>".to_owned(), values: vec![1] }],
        )
        .into_string();
        assert!(!drawn.contains("<script>") && !drawn.contains("<b>"));
    }
}
