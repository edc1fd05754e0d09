//! `mcpanel queues`, `mcpanel history` and `mcpanel tasks errors`: how things stand and stood. And `mcpanel metrics`:
//!
//! - [`figures`]: the command
//! - [`exposition`]: what the server says, taken apart

mod exposition;
pub mod figures;

use std::time::Duration;

use clap::{Args, ValueEnum};
use mcpanel_api::history::{HistoryPoint, HistoryRange, Queue, TaskErrorGroup};
use mcpanel_client::Client;

use super::common::{
    self,
    watching::{Watching, look_on},
};
use crate::{
    Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{
        self,
        cell::{Cell, text},
        durations,
        form::Form,
        listing::{self, Row},
        numbers::grouped,
    },
};

/// What waits, by type of task.
#[derive(Debug, Args)]
pub struct QueuesCommand {
    #[command(flatten)]
    watching: Watching,
}

/// What happened over time.
#[derive(Debug, Args)]
pub struct HistoryCommand {
    #[command(flatten)]
    back: Back,
}

/// How far back to look.
#[derive(Debug, Clone, Copy, Args)]
pub struct Back {
    /// How far back.
    #[arg(long, value_enum, value_name = "RANGE", default_value_t = Range::Hour)]
    range: Range,
}

/// The ranges that the API has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Range {
    /// An hour, minute by minute.
    #[value(name = "1h")]
    Hour,
    /// A day, in steps of five minutes.
    #[value(name = "24h")]
    Day,
    /// A week, in steps of half an hour.
    #[value(name = "7d")]
    Week,
}

impl From<Back> for HistoryRange {
    fn from(back: Back) -> Self {
        match back.range {
            Range::Hour => Self::Hour,
            Range::Day => Self::Day,
            Range::Week => Self::Week,
        }
    }
}

impl QueuesCommand {
    /// Shows them.
    pub async fn execute(self, global: &Global) -> Result {
        let client = common::client(global)?;
        let form = global.form();
        if self.watching.watch {
            let look = async || Ok(client.list_queues().await?.queues);
            return look_on(form, self.watching.every, look).await;
        }
        listing::many(form, &client.list_queues().await?.queues)?;
        Ok(Exit::Ok)
    }
}

impl HistoryCommand {
    /// Shows it; as a document with its steps where documents are wanted.
    pub async fn execute(self, global: &Global) -> Result {
        let client = common::client(global)?;
        let history = client.get_history(self.back.into()).await?;
        match global.format() {
            Format::Json => output::json(&history)?,
            Format::Yaml => output::yaml::document(&history)?,
            Format::Table | Format::Wide | Format::Jsonl | Format::Name => {
                listing::many(global.form(), &history.points)?;
            }
        }
        Ok(Exit::Ok)
    }
}

/// Shows why tasks failed.
pub async fn errors(client: &Client, form: Form<'_>, back: Back) -> Result {
    listing::many(form, &client.list_task_errors(back.into()).await?.errors)?;
    Ok(Exit::Ok)
}

fn shown(ms: Option<u64>) -> Cell {
    ms.map(|ms| durations::show(Duration::from_millis(ms)))
        .into()
}

impl Row for Queue {
    const HEADER: &'static [&'static str] = &["TYPE", "WAITING", "RUNNING", "OLDEST WAITS"];

    fn name(&self) -> String {
        self.task_type.to_string()
    }

    /// How long the oldest waits is another figure with every look, and no news.
    fn news(&self) -> serde_json::Result<String> {
        serde_json::to_string(&(
            &self.task_type,
            self.waiting,
            self.running,
            self.oldest_created_at,
        ))
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.task_type),
            text(self.waiting),
            text(self.running),
            shown(self.oldest_waiting_ms),
        ]
    }
}

impl Row for HistoryPoint {
    const HEADER: &'static [&'static str] = &[
        "AT",
        "CREATED",
        "COMPLETED",
        "FAILED",
        "RETRIED",
        "READY",
        "RUNNING",
        "OLDEST WAITS",
        "WAIT P95",
        "RUN P95",
    ];
    const WIDE: &'static [&'static str] = &[
        "CANCELLED",
        "PENDING",
        "WAIT P50",
        "RUN P50",
        "AGENTS ACTIVE",
        "AGENTS BUSY",
        "AGENTS SUSPECT",
        "MINUTES",
    ];

    fn name(&self) -> String {
        self.at.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.at.into(),
            text(self.created),
            text(self.completed),
            text(self.failed),
            text(self.retried),
            text(self.ready),
            text(self.tasks.running),
            shown(self.oldest_waiting_ms),
            shown(self.wait_p95_ms),
            shown(self.run_p95_ms),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![
            text(self.cancelled),
            text(self.tasks.pending),
            shown(self.wait_p50_ms),
            shown(self.run_p50_ms),
            text(self.agents.active),
            text(self.agents.busy),
            text(self.agents.suspect),
            text(self.minutes),
        ]
    }
}

impl Row for TaskErrorGroup {
    const HEADER: &'static [&'static str] =
        &["COUNT", "TYPE", "CLASS", "LAST", "LAST TASK", "MESSAGE"];

    fn name(&self) -> String {
        self.last_task_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(grouped(self.count)),
            text(&self.task_type),
            Cell::from(listing::word(self.kind)),
            self.last_at.into(),
            text(&self.last_task_id),
            Cell::long(self.last_message.as_ref().unwrap_or(&self.message)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use mcpanel_api::{Name, Timestamp};

    use super::*;

    #[test]
    fn a_queue_that_only_grew_older_is_no_news() {
        let queue = |waiting, oldest_waiting_ms| Queue {
            task_type: Name::parse("demo").unwrap(),
            waiting,
            running: 0,
            oldest_created_at: Some(Timestamp::ZERO),
            oldest_waiting_ms: Some(oldest_waiting_ms),
        };
        let news = |queue: Queue| queue.news().unwrap();
        assert_eq!(news(queue(1, 10)), news(queue(1, 20)));
        assert_ne!(news(queue(1, 10)), news(queue(2, 10)));
    }
}
