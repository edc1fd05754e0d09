//! Where on a drawing things lie.

use maud::{Markup, html};

use super::{Chart, HEIGHT, Step, WIDTH};

/// Where a step begins, and how wide it is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has a few hundred units"
)]
pub fn span(at: usize, steps: usize) -> (f64, f64) {
    let width = WIDTH / steps.max(1) as f64;
    (at as f64 * width, width)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a drawing has a few hundred units"
)]
fn height(value: u64, top: u64) -> f64 {
    value as f64 / top.max(1) as f64 * HEIGHT
}

/// Stacked columns.
pub fn columns(chart: &Chart<'_>, top: u64) -> Markup {
    html! {
        @for (at, step) in chart.steps.iter().enumerate() {
            @let (x, width) = span(at, chart.steps.len());
            @let gap = (width * 0.18).min(2.0);
            @for ((y, tall), line) in stack(step, top).iter().zip(chart.series) {
                @if *tall > 0.0 {
                    rect class={ "fill " (line.tone) } x=(format!("{:.2}", x + gap / 2.0))
                        width=(format!("{:.2}", (width - gap).max(0.5))) y=(format!("{y:.2}")) height=(format!("{tall:.2}")) {}
                }
            }
        }
    }
}

/// From the bottom up: where each part begins, and how tall it is.
fn stack(step: &Step, top: u64) -> Vec<(f64, f64)> {
    let mut y = HEIGHT;
    step.values
        .iter()
        .map(|value| {
            let tall = height(value.unwrap_or(0), top);
            y -= tall;
            (y, tall)
        })
        .collect()
}

/// Lines through the middles of the steps.
pub fn lines(chart: &Chart<'_>, top: u64) -> Markup {
    let point = |at: usize, value: u64| {
        let (x, width) = span(at, chart.steps.len());
        // A line at the edge is cut in half: a unit inside it is whole.
        let y = (HEIGHT - height(value, top)).clamp(1.0, HEIGHT - 1.0);
        (x + width / 2.0, y)
    };
    html! {
        @for (series, line) in chart.series.iter().enumerate() {
            @for run in runs(chart.steps, series) {
                polyline class={ "stroke " (line.tone) } points=(points(&run, point)) {}
            }
        }
    }
}

fn points(run: &[(usize, u64)], point: impl Fn(usize, u64) -> (f64, f64)) -> String {
    // A lone value is a short stroke, because a point of a stretched drawing is a smear.
    if let [(at, value)] = run {
        let (x, y) = point(*at, *value);
        return format!(
            "{:.2},{y:.2} {:.2},{y:.2}",
            (x - 4.0).max(0.0),
            (x + 4.0).min(WIDTH)
        );
    }
    let points: Vec<String> = run
        .iter()
        .map(|(at, value)| {
            let (x, y) = point(*at, *value);
            format!("{x:.2},{y:.2}")
        })
        .collect();
    points.join(" ")
}

/// The stretches of a series without a gap: places and values.
pub fn runs(steps: &[Step], series: usize) -> Vec<Vec<(usize, u64)>> {
    let mut runs = vec![Vec::new()];
    for (place, step) in steps.iter().enumerate() {
        match step.values.get(series).copied().flatten() {
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
pub fn ends(count: usize) -> Vec<usize> {
    match count {
        0 => Vec::new(),
        1 => vec![0],
        many => vec![0, many / 2, many - 1],
    }
}

/// A round figure at or above a value: 1, 2 or 5 times a power of ten.
pub fn rounded_up(value: u64) -> u64 {
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
