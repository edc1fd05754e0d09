//! Pipelines and their stages in tables.

use mcpanel_api::pipeline::{Pipeline, Stage, StageProgress, StageStatus};

use crate::output::{
    cell::{Cell, text},
    durations,
    listing::Row,
};

impl Row for Pipeline {
    const HEADER: &'static [&'static str] = &[
        "PIPELINE", "NAME", "STATUS", "PROGRESS", "STAGES", "TEMPLATE", "CREATED", "ERROR",
    ];

    const WIDE: &'static [&'static str] = &["PRIORITY", "STARTED", "ENDED", "TAGS", "CREATED BY"];

    fn name(&self) -> String {
        self.pipeline_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.pipeline_id),
            self.name.as_str().into(),
            Cell::status(self.status),
            text(format_args!("{:.0} %", self.progress)),
            text(stages(self)),
            self.template_id.as_ref().map(text).into(),
            self.created_at.into(),
            self.error.as_deref().map(Cell::long).into(),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![
            text(self.priority),
            self.started_at.into(),
            self.completed_at.into(),
            Cell::words(&self.tags),
            self.created_by.as_str().into(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, Cell)> {
        let template = self
            .template_id
            .as_ref()
            .map(|id| match self.template_version {
                Some(version) => format!("{id}, version {version}"),
                None => id.to_string(),
            });
        vec![
            ("PIPELINE", text(&self.pipeline_id)),
            ("NAME", self.name.as_str().into()),
            ("DESCRIPTION", Cell::long(&self.description)),
            ("STATUS", Cell::status(self.status)),
            ("ERROR", self.error.as_deref().map(Cell::long).into()),
            ("PROGRESS", text(format_args!("{:.0} %", self.progress))),
            ("STAGES", text(stages(self))),
            ("TEMPLATE", template.into()),
            ("TAGS", Cell::words(&self.tags)),
            ("PRIORITY", text(self.priority)),
            ("CREATED", self.created_at.into()),
            ("STARTED", self.started_at.into()),
            ("ENDED", self.completed_at.into()),
            ("CREATED BY", self.created_by.as_str().into()),
            ("INPUT", Cell::long(self.input_data.as_str())),
            (
                "OUTPUT",
                self.output_data
                    .as_ref()
                    .map(|data| Cell::long(data.as_str()))
                    .into(),
            ),
            ("REVISION", text(self.revision)),
        ]
    }
}

/// `4/6`: completed, of all.
fn stages(pipeline: &Pipeline) -> String {
    let completed = pipeline
        .stages
        .iter()
        .filter(|stage| stage.status == StageStatus::Completed);
    format!("{}/{}", completed.count(), pipeline.stages.len())
}

impl Row for Stage {
    const HEADER: &'static [&'static str] = &[
        "STAGE", "NAME", "MODE", "STATUS", "PROGRESS", "TASKS", "FAILED", "AFTER", "TOOK",
    ];

    fn name(&self) -> String {
        self.stage.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        let took = self
            .started_at
            .zip(self.completed_at)
            .map(|(began, ended)| {
                durations::show(std::time::Duration::from_millis(ended.ms_since(began)))
            });
        vec![
            text(self.stage),
            self.name.as_str().into(),
            Cell::from(super::word(self.mode)),
            Cell::status(self.status),
            text(format_args!("{:.0} %", self.progress)),
            text(format_args!(
                "{}/{}",
                self.counts.completed, self.counts.total
            )),
            text(self.counts.failed),
            Cell::words(&self.dependencies),
            took.into(),
        ]
    }
}

impl Row for StageProgress {
    const HEADER: &'static [&'static str] = &[
        "STAGE",
        "NAME",
        "STATUS",
        "PROGRESS",
        "TASKS",
        "FAILED",
        "PER MINUTE",
        "RUN P50",
        "RUN P95",
        "LEFT",
        "MESSAGE",
    ];

    fn name(&self) -> String {
        self.stage.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        let shown = |ms: Option<u64>| -> Cell {
            ms.map(|ms| durations::show(std::time::Duration::from_millis(ms)))
                .into()
        };
        let pace = self.pace;
        vec![
            text(self.stage),
            self.name.as_str().into(),
            Cell::status(self.status),
            text(format_args!("{:.0} %", self.progress)),
            text(format_args!(
                "{}/{}",
                self.counts.completed, self.counts.total
            )),
            text(self.counts.failed),
            pace.per_minute.map(|rate| format!("{rate:.1}")).into(),
            shown(pace.run_p50_ms),
            shown(pace.run_p95_ms),
            shown(pace.eta_ms),
            self.message.as_deref().map(Cell::long).into(),
        ]
    }
}
