//! Charts over time, drawn here as SVG in the page's own colours, and made for exploring.
//!
//! Each step has its values in words. Without scripts they show where the pointer rests; with them a cursor runs through all
//! charts of a group, by pointer or by arrow keys, and reads them out, and a stretch that is marked is asked for more
//! closely: the address then says from when to when, so that what was found can be kept and sent.

mod draw;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use mcpanel_domain::Timestamp;

use super::text;

/// Width of a drawing, in its own units; it stretches to its place.
const WIDTH: f64 = 600.0;

/// Height of a drawing.
const HEIGHT: f64 = 140.0;

/// A series: its word and the class that gives its colour.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// The word.
    pub word: &'a str,
    /// The class.
    pub tone: &'a str,
}

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Stacked columns: things that are counted.
    Columns,
    /// Lines, broken where nothing was measured.
    Lines,
}

/// What lies between two moments.
#[derive(Debug, Clone)]
pub struct Step {
    /// When it begins.
    pub at: Timestamp,
    /// That moment as short as it can be said.
    pub label: String,
    /// One value for each series; none where nothing was measured.
    pub values: Vec<Option<u64>>,
}

/// A chart.
pub struct Chart<'a> {
    /// What it shows.
    pub title: &'a str,
    /// How.
    pub shape: Shape,
    /// Its series.
    pub series: &'a [Series<'a>],
    /// Its steps, all equally long.
    pub steps: &'a [Step],
    /// How long one is, in milliseconds.
    pub step_ms: u64,
    /// How a value is written.
    pub write: fn(u64) -> String,
    /// A value that the chart reaches up to at least, such as a limit.
    pub at_least: u64,
}

impl Chart<'_> {
    /// The drawing with its axes, its legend, and what it says in words.
    pub fn draw(&self) -> Markup {
        let top = draw::rounded_up(self.highest().max(self.at_least));
        let begins = self.steps.first().map_or(0, |step| step.at.as_ms());
        html! {
            figure.chart data-chart data-begins=(begins) data-step=(self.step_ms) {
                div.chart-frame role="img" aria-label=(self.title) {
                    span.chart-top aria-hidden="true" { ((self.write)(top)) }
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
                        @for quarter in 0..=4 {
                            @let y = format!("{:.1}", HEIGHT * f64::from(quarter) / 4.0);
                            line.grid x1="0" x2=(WIDTH) y1=(y) y2=(y) {}
                        }
                        @match self.shape {
                            Shape::Columns => { (draw::columns(self, top)) },
                            Shape::Lines => { (draw::lines(self, top)) },
                        }
                        rect.marked x="0" y="0" width="0" height=(HEIGHT) {}
                        line.cursor x1="-9" x2="-9" y1="0" y2=(HEIGHT) {}
                        @for (at, step) in self.steps.iter().enumerate() {
                            @let (x, width) = draw::span(at, self.steps.len());
                            rect.step x=(format!("{x:.2}")) y="0" width=(format!("{width:.2}")) height=(HEIGHT) { title { (self.words(step)) } }
                        }
                    }
                }
                div.chart-axis aria-hidden="true" {
                    @for at in draw::ends(self.steps.len()) { span { (self.steps[at].label) } }
                }
                figcaption {
                    ul.legend { @for line in self.series { li { span class={ "swatch " (line.tone) } {} (line.word) } } }
                    p.chart-said {}
                }
            }
        }
    }

    /// The tallest value, or stack of values.
    fn highest(&self) -> u64 {
        let of = |step: &Step| -> u64 {
            let values = step.values.iter().flatten().copied();
            match self.shape {
                Shape::Columns => values.fold(0, u64::saturating_add),
                Shape::Lines => values.max().unwrap_or(0),
            }
        };
        self.steps.iter().map(of).max().unwrap_or(0)
    }

    /// What a step says.
    fn words(&self, step: &Step) -> String {
        let measured: Vec<String> = self
            .series
            .iter()
            .zip(&step.values)
            .filter_map(|(line, value)| {
                let value = (self.write)((*value)?);
                Some(match self.shape {
                    Shape::Columns => format!("{value} {}", line.word),
                    Shape::Lines => format!("{} {value}", line.word),
                })
            })
            .collect();
        let values = if measured.is_empty() {
            "nothing was measured".to_owned()
        } else {
            measured.join(", ")
        };
        format!("{}: {values}", text::short(&step.label, 40))
    }
}
