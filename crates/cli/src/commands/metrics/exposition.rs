//! The text form of metrics that Prometheus reads, taken apart: `name{label="value"} 1.5`, after lines that say what a
//! metric is.

use std::collections::BTreeMap;

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// The metric's name.
    pub metric: String,
    /// What tells it from others of the metric, such as a status.
    pub labels: BTreeMap<String, String>,
    /// The figure; null where there is none yet, such as how long tasks ran before one has.
    pub value: Option<f64>,
    /// `gauge`, `counter` or `histogram`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, in words.
    pub help: String,
}

impl Sample {
    /// Its name as Prometheus writes it, with the labels.
    pub fn full_name(&self) -> String {
        if self.labels.is_empty() {
            return self.metric.clone();
        }
        format!("{}{{{}}}", self.metric, self.labels_shown())
    }

    /// Its labels as Prometheus writes them.
    pub fn labels_shown(&self) -> String {
        let labels = self.labels.iter();
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        labels.join(",")
    }
}

/// Reads all figures, in their order. What is not understood is left out: it is another version's.
pub fn read(text: &str) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut about = Sample {
        metric: String::new(),
        labels: BTreeMap::new(),
        value: None,
        kind: String::new(),
        help: String::new(),
    };
    let mut is_empty = false;
    for line in text.lines() {
        if let Some(told) = line.strip_prefix("# HELP ") {
            // One without a figure is told all the same, so that it is not missed.
            samples.extend(is_empty.then(|| about.clone()));
            let (metric, help) = told.split_once(' ').unwrap_or((told, ""));
            about.metric = metric.to_owned();
            about.help = help.to_owned();
            about.kind.clear();
            is_empty = true;
        } else if let Some(told) = line.strip_prefix("# TYPE ") {
            if let Some(kind) = told.split(' ').next_back() {
                about.kind = kind.to_owned();
            }
        } else if let Some((metric, labels, value)) = sample(line) {
            is_empty = false;
            samples.push(Sample {
                metric,
                labels,
                value: Some(value),
                kind: about.kind.clone(),
                help: about.help.clone(),
            });
        }
    }
    samples.extend(is_empty.then_some(about));
    samples
}

/// Reads a line with a figure; a moment after it is not looked at.
fn sample(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
    let name_end = line.find(['{', ' '])?;
    let (metric, rest) = line.split_at(name_end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    let is_metric = !metric.is_empty() && !metric.starts_with('#');
    is_metric.then(|| (metric.to_owned(), labels, value))
}

/// Reads labels up to the closing brace; answers what follows it.
fn labels(mut text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        let (value, rest) = quoted(rest)?;
        labels.insert(name.to_owned(), value);
        text = rest;
    }
}

/// Reads up to the closing quotation mark; answers what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_with_what_is_told_of_them() {
        let text = "\
# HELP mcpanel_tasks Tasks by status.
# TYPE mcpanel_tasks gauge
mcpanel_tasks{status=\"pending\"} 3
mcpanel_tasks{status=\"a \\\"b\\\", {c}\",other=\"d\"} 1.5 1700000000
# HELP mcpanel_wait_seconds How long.
# TYPE mcpanel_wait_seconds gauge
# HELP mcpanel_up Whether.
# TYPE mcpanel_up counter
mcpanel_up 1
";
        let samples = read(text);
        let shown: Vec<_> = samples
            .iter()
            .map(|sample| (sample.full_name(), sample.value, sample.kind.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "mcpanel_tasks{status=\"pending\"}".to_owned(),
                    Some(3.0),
                    "gauge"
                ),
                (
                    "mcpanel_tasks{other=\"d\",status=\"a \\\"b\\\", {c}\"}".to_owned(),
                    Some(1.5),
                    "gauge"
                ),
                ("mcpanel_wait_seconds".to_owned(), None, "gauge"),
                ("mcpanel_up".to_owned(), Some(1.0), "counter"),
            ]
        );
        assert_eq!(samples[0].help, "Tasks by status.");
    }

    #[test]
    fn a_metric_without_figures_at_the_end_is_told() {
        let samples = read("# HELP a b\n# TYPE a gauge\n");
        assert_eq!((samples.len(), samples[0].value), (1, None));
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for line in [
            "",
            "a",
            "a{",
            "a{b=\"c} 1",
            "a{b} 1",
            "a one",
            "{} 1",
            "# a 1",
        ] {
            assert_eq!(sample(line), None, "{line}");
        }
    }
}
