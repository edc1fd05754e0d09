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
#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has a few hundred units"
)]
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
                @for at in ends(columns.len()) { span { (columns[at].label) } }
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

/// Lines over time, broken where nothing was measured. `label` writes a value.
#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has a few hundred units"
)]
pub fn lines(
    title: &str,
    series: &[Series<'_>],
    moments: &[(String, Vec<Option<u64>>)],
    label: impl Fn(u64) -> String,
) -> Markup {
    let highest = moments
        .iter()
        .flat_map(|(_, values)| values.iter().flatten())
        .copied()
        .max()
        .unwrap_or(0);
    let top = rounded_up(highest);
    let step = WIDTH / moments.len().saturating_sub(1).max(1) as f64;
    let y = |value: u64| HEIGHT - value as f64 / top.max(1) as f64 * (HEIGHT - 2.0) - 1.0;
    html! {
        figure.chart {
            div.chart-frame {
                span.chart-top aria-hidden="true" { (label(top)) }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(title) {
                    @for quarter in 0..=4 {
                        @let at = HEIGHT * f64::from(quarter) / 4.0;
                        line.grid x1="0" x2=(WIDTH) y1=(format!("{at:.1}")) y2=(format!("{at:.1}")) {}
                    }
                    @for (at, line) in series.iter().enumerate() {
                        @for run in runs(moments, at) {
                            @if let [(place, value)] = run.as_slice() {
                                // A lone value is a short stroke, because a point of a stretched drawing is a smear.
                                @let x = *place as f64 * step;
                                polyline class={ "stroke " (line.tone) } points=(format!("{:.2},{:.2} {:.2},{:.2}", (x - 4.0).max(0.0), y(*value), (x + 4.0).min(WIDTH), y(*value))) {}
                            } @else {
                                @let points: Vec<String> = run.iter().map(|(place, value)| format!("{:.2},{:.2}", *place as f64 * step, y(*value))).collect();
                                polyline class={ "stroke " (line.tone) } points=(points.join(" ")) {}
                            }
                        }
                    }
                }
            }
            div.chart-axis aria-hidden="true" {
                @for at in ends(moments.len()) { span { (moments[at].0) } }
            }
            figcaption {
                ul.legend { @for line in series { li { span class={ "swatch " (line.tone) } {} (line.word) } } }
            }
        }
    }
}

/// The stretches of a series without a gap: places and values.
fn runs(moments: &[(String, Vec<Option<u64>>)], series: usize) -> Vec<Vec<(usize, u64)>> {
    let mut runs = vec![Vec::new()];
    for (place, (_, values)) in moments.iter().enumerate() {
        match values.get(series).copied().flatten() {
            Some(value) => {
                if let Some(run) = runs.last_mut() {
                    run.push((place, value));
                }
            }
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// The first, the middle and the last place of so many.
fn ends(count: usize) -> Vec<usize> {
    match count {
        0 => Vec::new(),
        1 => vec![0],
        many => vec![0, many / 2, many - 1],
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
        for (value, top) in [
            (0, 4),
            (3, 5),
            (7, 10),
            (11, 20),
            (201, 500),
            (1_000, 1_000),
        ] {
            assert_eq!(rounded_up(value), top);
        }
        assert_eq!(rounded_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_line_is_broken_where_nothing_was_measured() {
        let moment = |value: Option<u64>| (String::new(), vec![value]);
        let moments = [Some(1), Some(2), None, None, Some(3)].map(moment);
        assert_eq!(runs(&moments, 0), [vec![(0, 1), (1, 2)], vec![(4, 3)]]);
        assert!(runs(&moments, 1).is_empty(), "there is no such series");
    }

    #[test]
    fn a_label_from_outside_cannot_leave_its_place() {
        let drawn = columns(
            "</svg><script>",
            &[Series {
                word: "<b>",
                tone: "t-good",
            }],
            &[Column {
                label: "\"<script>".to_owned(),
                values: vec![1],
            }],
        )
        .into_string();
        assert!(!drawn.contains("<script>") && !drawn.contains("<b>"));
    }
}
