use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;

/// What was written, line by line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(filter: &str, speak: impl FnOnce()) -> Vec<Value> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = json(EnvFilter::new(filter), move || writer.clone());
    tracing::subscriber::with_default(subscriber, speak);
    let bytes = lines.0.lock().clone();
    let text = String::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_line_has_the_shape_of_the_specification() {
    let lines = logged("info", || {
        tracing::warn!(
            target: "mcpanel_control::act",
            { task.id = %"task_1", agent.id = "agent_1", tries = 3 },
            "cannot `{}` now",
            "advance"
        );
    });
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let mut line = line.clone();
    let timestamp = line["timestamp"].take();
    assert!(mcpanel_domain::Timestamp::parse(timestamp.as_str().unwrap()).is_ok());
    assert_eq!(
        line,
        json!({
            "timestamp": null,
            "level": "warn",
            "component": "control",
            "message": "cannot `advance` now",
            "context": {"taskId": "task_1", "agentId": "agent_1"},
            "metadata": {"tries": 3}
        })
    );
}

#[test]
fn a_critical_line_says_so() {
    let lines = logged("info", || {
        tracing::error!(critical = true, "the disk is full")
    });
    assert_eq!(lines[0]["level"], "critical");
    assert_eq!(lines[0].get("metadata"), None);
}

#[test]
fn what_the_filter_keeps_back_is_not_written() {
    let lines = logged("warn,mcpanel_server=debug", || {
        tracing::info!(target: "mcpanel_control", "kept back");
        tracing::debug!(target: "mcpanel_server::serve", "let through");
    });
    assert_eq!(lines.len(), 1);
}

#[test]
fn a_filter_that_is_none_is_refused_with_an_example() {
    let error = begin(Format::Json, "mcpanel=loud", false).unwrap_err();
    assert!(error.to_string().contains("write `info`"), "{error}");
}
