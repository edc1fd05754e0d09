//! The text form of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

/// The media type of it.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What all names begin with.
const PREFIX: &str = "mcpanel_";

/// Figures, written one after another.
#[derive(Default)]
pub struct Text(String);

/// What a figure is to whoever keeps it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// One figure, about to be written.
pub struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

impl Text {
    /// Begins a figure. `help` is one line.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        line(format_args!("# HELP {PREFIX}{name} {help}"), &mut self.0);
        line(format_args!("# TYPE {PREFIX}{name} {kind}"), &mut self.0);
        Family {
            text: &mut self.0,
            name,
        }
    }

    /// A figure without labels.
    pub fn one(&mut self, name: &'static str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).add(&[], value);
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Adds a value with its labels.
    pub fn add(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.add_part("", labels, value);
    }

    /// Adds a value of a part of a histogram, such as `_sum`.
    pub fn add_part(&mut self, part: &str, labels: &[(&str, &str)], value: impl Display) {
        let mut shown = String::new();
        for (name, value) in labels {
            let comma = if shown.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(shown, "{comma}{name}=\"{}\"", escaped(value));
        }
        match shown.is_empty() {
            true => line(
                format_args!("{PREFIX}{}{part} {value}", self.name),
                self.text,
            ),
            false => line(
                format_args!("{PREFIX}{}{part}{{{shown}}} {value}", self.name),
                self.text,
            ),
        }
    }
}

fn line(words: std::fmt::Arguments<'_>, text: &mut String) {
    let _ = text.write_fmt(words);
    text.push('\n');
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
