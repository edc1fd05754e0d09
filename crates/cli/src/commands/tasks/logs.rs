//! `mcpanel tasks logs`: what agents logged about a task, also as it comes.

use std::{pin::pin, time::Duration};

use clap::Args;
use mcpanel_api::{
    TaskId,
    page::PageQuery,
    task::{LogLevel, LogLine},
};
use mcpanel_client::Client;

use super::wait::has_ended;
use crate::{
    Result,
    commands::{
        common::words::{self, LOG_LEVELS},
        interrupted,
    },
    exit::Exit,
    output::{
        self,
        cell::{colour, harmless},
        form::Form,
        listing::{Row, streamed, word},
    },
};

/// Log lines asked for at a time: the largest page that the API gives.
const PAGE_LINES: u32 = 500;

/// How often to look for more lines: agents send theirs twice a second at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which lines to show.
#[derive(Debug, Args)]
pub struct Logs {
    /// The task's id.
    task_id: TaskId,
    /// Go on until the task has ended.
    #[arg(short, long)]
    follow: bool,
    /// Only lines that matter at least so much.
    #[arg(long, value_parser = words::of::<LogLevel>(&LOG_LEVELS))]
    level: Option<LogLevel>,
    /// Only lines of this attempt.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
}

impl Logs {
    /// Writes the lines there are, and with `--follow` those that come.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let mut reader = Reader {
            client,
            task_id: &self.task_id,
            cursor: None,
            last_seq: 0,
        };
        let mut stop = pin!(interrupted());
        loop {
            // Looked at before the lines are read: none is written after the end.
            let is_last_look =
                !self.follow || has_ended(client.get_task(&self.task_id).await?.status);
            while let Some(lines) = reader.more().await? {
                for line in lines.iter().filter(|line| self.is_wanted(line)) {
                    show(form, line)?;
                }
            }
            if is_last_look {
                return Ok(Exit::Ok);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut stop => return Ok(Exit::Interrupted),
            }
        }
    }

    fn is_wanted(&self, line: &LogLine) -> bool {
        self.level.is_none_or(|least| line.level >= least)
            && self.attempt.is_none_or(|attempt| line.attempt == attempt)
    }
}

/// Reads on from where it stopped.
struct Reader<'a> {
    client: &'a Client,
    task_id: &'a TaskId,
    /// Where the last page began that may have grown since.
    cursor: Option<String>,
    last_seq: u64,
}

impl Reader<'_> {
    /// Lines not seen before; none when there are no more yet.
    async fn more(&mut self) -> Result<Option<Vec<LogLine>>> {
        loop {
            let query = PageQuery {
                limit: Some(PAGE_LINES),
                cursor: self.cursor.clone(),
            };
            let page = self.client.list_logs(self.task_id, &query).await?;
            let is_end = page.next_cursor.is_none();
            if !is_end {
                self.cursor = page.next_cursor;
            }
            // The last page is read again until it is full.
            let new: Vec<LogLine> = page
                .lines
                .into_iter()
                .filter(|line| line.seq > self.last_seq)
                .collect();
            if let Some(line) = new.last() {
                self.last_seq = line.seq;
                return Ok(Some(new));
            }
            if is_end {
                return Ok(None);
            }
        }
    }
}

fn show(form: Form<'_>, line: &LogLine) -> Result<()> {
    streamed(form.format, line, LogLine::name, |line| {
        let level = word(line.level);
        let paint = colour(&level).map_or_else(anstyle::Style::new, |colour| colour.on_default());
        output::styled(format_args!(
            "{}  #{} {paint}{level:<8}{paint:#} {}",
            line.timestamp,
            line.attempt,
            harmless(&line.message)
        ))
    })
}
