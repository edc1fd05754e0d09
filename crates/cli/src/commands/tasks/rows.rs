//! Tasks and their attempts in tables.

use mcpanel_api::task::{Attempt, LogLine, Task};

use crate::output::{
    cell::{Cell, text},
    durations,
    listing::Row,
    numbers::grouped,
};

/// What stands in place of an error while an agent is asked to stop.
const CANCEL_REQUESTED: &str = "cancel asked for";

impl Row for Task {
    const HEADER: &'static [&'static str] = &[
        "TASK", "TYPE", "STATUS", "PROGRESS", "ATTEMPT", "AGENT", "CREATED", "ERROR",
    ];

    const WIDE: &'static [&'static str] = &[
        "PRIORITY",
        "PIPELINE",
        "STAGE",
        "CAPABILITIES",
        "STARTED",
        "ENDED",
        "UPDATED",
        "CREATED BY",
        "MESSAGE",
        "CANCEL ASKED",
    ];

    fn name(&self) -> String {
        self.task_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.task_id),
            text(&self.task_type),
            Cell::status(self.status),
            text(format_args!("{:.0} %", self.progress)),
            text(self.attempt),
            self.assigned_agent_id.as_ref().map(text).into(),
            self.created_at.into(),
            match &self.error {
                Some(error) => Cell::long(&error.message),
                None if self.cancel_requested => CANCEL_REQUESTED.into(),
                None => Cell::Empty,
            },
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![
            text(self.priority),
            self.pipeline_id.as_ref().map(text).into(),
            self.stage.map(text).into(),
            Cell::words(&self.capabilities),
            self.started_at.into(),
            self.completed_at.into(),
            self.updated_at.into(),
            self.created_by.as_str().into(),
            self.message.as_deref().map(Cell::long).into(),
            self.cancel_requested.then(|| text("yes")).into(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, Cell)> {
        // Attempts count on when a task is tried again by hand; retries begin anew.
        let retries = format!("{} of {}", self.retry_count, self.max_retries);
        let counters: Vec<String> = self
            .counters
            .iter()
            .map(|(name, count)| format!("{name} {}", grouped(*count)))
            .collect();
        let stage = self.stage.map(|stage| {
            let index = self
                .index
                .map_or_else(String::new, |index| format!(", task {index}"));
            Cell::from(format!("{stage}{index}"))
        });
        vec![
            ("TASK", text(&self.task_id)),
            ("TYPE", text(&self.task_type)),
            ("STATUS", Cell::status(self.status)),
            (
                "ERROR",
                self.error
                    .as_ref()
                    .map(|error| Cell::long(&error.message))
                    .into(),
            ),
            (
                "CANCEL",
                self.cancel_requested
                    .then(|| Cell::from("asked for; the agent hears of it with its next heartbeat"))
                    .into(),
            ),
            ("PROGRESS", text(format_args!("{:.0} %", self.progress))),
            ("MESSAGE", self.message.as_deref().map(Cell::long).into()),
            ("COUNTERS", Cell::words(&counters)),
            ("PIPELINE", self.pipeline_id.as_ref().map(text).into()),
            ("STAGE", stage.into()),
            ("AGENT", self.assigned_agent_id.as_ref().map(text).into()),
            ("MEANT FOR", self.agent_id.as_ref().map(text).into()),
            ("CAPABILITIES", Cell::words(&self.capabilities)),
            ("DEPENDENCIES", Cell::words(&self.dependencies)),
            ("PRIORITY", text(self.priority)),
            ("ATTEMPT", text(self.attempt)),
            ("RETRIES", retries.into()),
            ("RUN AT", self.run_at.into()),
            ("DEADLINE", self.deadline.into()),
            ("CREATED", self.created_at.into()),
            ("STARTED", self.started_at.into()),
            ("ENDED", self.completed_at.into()),
            ("CREATED BY", self.created_by.as_str().into()),
            ("PARAMETERS", Cell::long(self.parameters.as_str())),
            (
                "RESULT",
                self.result
                    .as_ref()
                    .map(|result| Cell::long(result.as_str()))
                    .into(),
            ),
            ("REVISION", text(self.revision)),
        ]
    }
}

impl Row for Attempt {
    const HEADER: &'static [&'static str] =
        &["ATTEMPT", "AGENT", "OUTCOME", "ASSIGNED", "TOOK", "ERROR"];

    fn name(&self) -> String {
        self.attempt.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        let took = self.ended_at.map(|end| {
            let ms = end.ms_since(self.started_at.unwrap_or(self.assigned_at));
            durations::show(std::time::Duration::from_millis(ms))
        });
        vec![
            text(self.attempt),
            text(&self.agent_id),
            self.outcome
                .map_or_else(|| Cell::Status("running".to_owned()), Cell::status),
            self.assigned_at.into(),
            took.into(),
            self.error
                .as_ref()
                .map(|error| Cell::long(&error.message))
                .into(),
        ]
    }
}

impl Row for LogLine {
    const HEADER: &'static [&'static str] = &["TIME", "ATTEMPT", "LEVEL", "MESSAGE"];

    fn name(&self) -> String {
        self.seq.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.timestamp.into(),
            text(self.attempt),
            Cell::status(self.level),
            self.message.as_str().into(),
        ]
    }
}
