//! `mcpanel metrics`: what machines watch, for people.

use std::{io::Write, time::Duration};

use clap::Args;
use mcpanel_client::Client;

use super::exposition::{self, Sample};
use crate::{
    Failure, Result,
    arguments::Global,
    commands::common::{
        self,
        watching::{Watching, look_on},
    },
    exit::Exit,
    output::{
        cell::{Cell, text},
        durations,
        listing::{self, Row},
        numbers,
    },
};

/// The label of figures that are told for each route; there are hundreds.
const ROUTE: &str = "route";

/// The label that goes with it.
const METHOD: &str = "method";

/// The figures that machines watch.
#[derive(Debug, Args)]
pub struct MetricsCommand {
    /// Show all figures: requests by method and route, and how long answers took, too.
    #[arg(long)]
    all: bool,
    /// Write them as Prometheus reads them, as the server does.
    #[arg(long, conflicts_with_all = ["all", "watch"])]
    raw: bool,
    #[command(flatten)]
    watching: Watching,
}

impl MetricsCommand {
    /// Shows them.
    pub async fn execute(self, global: &Global) -> Result {
        if self.raw && (global.output.is_some() || !global.columns.is_empty()) {
            return Err(
                Failure::usage("`--raw` writes what the server does, in no other form")
                    .hint("leave out `--raw`, or `-o` and `--columns`"),
            );
        }
        let client = common::client(global)?;
        if self.raw {
            let text = client.metrics().await?;
            std::io::stdout().lock().write_all(text.as_bytes())?;
            return Ok(Exit::Ok);
        }
        let form = global.form();
        if self.watching.watch {
            let look = async || self.read(&client).await;
            return look_on(form, self.watching.every, look).await;
        }
        listing::many(form, &self.read(&client).await?)?;
        Ok(Exit::Ok)
    }

    async fn read(&self, client: &Client) -> Result<Vec<Sample>> {
        let samples = exposition::read(&client.metrics().await?);
        Ok(match self.all {
            true => samples,
            false => main(samples),
        })
    }
}

/// Without histograms, and what is counted by route added up.
fn main(samples: Vec<Sample>) -> Vec<Sample> {
    let mut kept: Vec<Sample> = Vec::new();
    for mut sample in samples {
        if sample.kind == "histogram" {
            continue;
        }
        if sample.labels.remove(ROUTE).is_some() {
            sample.labels.remove(METHOD);
            let same = |other: &&mut Sample| {
                other.metric == sample.metric && other.labels == sample.labels
            };
            if let Some(sum) = kept.iter_mut().find(same) {
                sum.value = sum.value.zip(sample.value).map(|(one, other)| one + other);
                continue;
            }
        }
        kept.push(sample);
    }
    kept
}

/// A figure in the unit that its metric's name ends in.
fn figure(sample: &Sample) -> Cell {
    let Some(value) = sample.value else {
        return Cell::Empty;
    };
    let is = |unit: &str| sample.metric.ends_with(unit);
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if is("_seconds") => durations::show(duration).into(),
        // Less than nothing is no size, and a float that is whole is shown so.
        _ if is("_bytes") && value >= 0.0 => numbers::bytes(value as u64).into(),
        _ => {
            let shown = format!("{value:.3}");
            let shown = match shown.contains('.') {
                true => shown.trim_end_matches('0').trim_end_matches('.'),
                false => &shown,
            };
            text(shown)
        }
    }
}

impl Row for Sample {
    const HEADER: &'static [&'static str] = &["METRIC", "LABELS", "VALUE"];
    const WIDE: &'static [&'static str] = &["TYPE", "HELP"];

    fn name(&self) -> String {
        self.full_name()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.metric.as_str().into(),
            self.labels_shown().into(),
            figure(self),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![self.kind.as_str().into(), Cell::long(&self.help)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_by_route_is_added_up() {
        let text = "\
# HELP n Requests.
# TYPE n counter
n{method=\"GET\",route=\"/a\",status=\"2xx\"} 1
n{method=\"GET\",route=\"/b\",status=\"2xx\"} 2
n{method=\"GET\",route=\"/b\",status=\"4xx\"} 4
# HELP h Times.
# TYPE h histogram
h_bucket{route=\"/a\",le=\"+Inf\"} 1
h_count{route=\"/a\"} 1
";
        let shown: Vec<_> = main(exposition::read(text))
            .iter()
            .map(|sample| (sample.full_name(), sample.value))
            .collect();
        assert_eq!(
            shown,
            [
                ("n{status=\"2xx\"}".to_owned(), Some(3.0)),
                ("n{status=\"4xx\"}".to_owned(), Some(4.0))
            ]
        );
    }

    #[test]
    fn figures_have_the_unit_of_their_metric() {
        let shown = |line: &str| figure(&exposition::read(line)[0]).plain();
        assert_eq!(shown("wait_seconds 0.25"), "250 ms");
        assert_eq!(shown("offset_seconds -0.25"), "-0.25");
        assert_eq!(shown("resident_bytes 86519808"), "86.5 MB");
        assert_eq!(shown("tasks 100"), "100");
        assert_eq!(shown("rate 0.33333"), "0.333");
        assert_eq!(shown("odd NaN"), "NaN");
    }
}
