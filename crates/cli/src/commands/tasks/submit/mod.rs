//! `mcpanel tasks submit`: tasks from a file or stdin, or one from the command line.
//!
//! A file may be of any size and stdin may never end: tasks are sent as they are read, a few at a time, and written
//! in their order. The idempotency key of each is derived from what it says, so that a file which was cut off in the
//! middle can simply be submitted again.

mod flight;
mod keys;
mod trial;

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    time::Duration,
};

use clap::{ArgGroup, Args};
use mcpanel_api::{AgentId, Name, TaskId, Timestamp, task::NewTask};

use super::retry_config;
use crate::{
    Result,
    arguments::{Format, Global},
    commands::common::{self, documents::Documents, json},
    exit::Exit,
    output::{durations, listing},
};
use keys::Keys;

/// What to submit.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "task_type"]))]
pub struct Submit {
    /// A file of tasks as the API takes them: JSON objects, one after the other; `-` for stdin.
    file: Option<PathBuf>,
    /// Submit one task of this type.
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<Name>,
    /// Its id; made by the server when left out.
    #[arg(long, value_name = "TASK_ID", requires = "task_type")]
    id: Option<TaskId>,
    /// What to work on: a JSON object, or `@FILE` with one.
    #[arg(short, long, value_name = "JSON", requires = "task_type")]
    parameters: Option<String>,
    /// Higher runs first, -1000 to 1000.
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        requires = "task_type"
    )]
    priority: Option<i32>,
    /// Attempts after the first.
    #[arg(long, value_name = "N", requires = "task_type")]
    max_retries: Option<u32>,
    /// How long one attempt may take, such as `10m`.
    #[arg(long, value_name = "DURATION", value_parser = durations::parse, requires = "task_type")]
    timeout: Option<Duration>,
    /// Not before this moment, such as `2026-01-02T03:04:05Z`.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse, requires = "task_type")]
    run_at: Option<Timestamp>,
    /// Fail when not completed by this moment.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse, requires = "task_type")]
    deadline: Option<Timestamp>,
    /// What an agent must offer to run it, its type when left out; may be repeated, or given with commas.
    #[arg(
        long = "capability",
        value_name = "NAME",
        value_delimiter = ',',
        requires = "task_type"
    )]
    capabilities: Vec<Name>,
    /// When a failed attempt is tried again: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON", requires = "task_type")]
    retry_config: Option<String>,
    /// The only agent that may run it.
    #[arg(long, value_name = "AGENT_ID", requires = "task_type")]
    agent: Option<AgentId>,
    /// A task that must complete first; may be repeated, or given with commas.
    #[arg(
        long = "after",
        value_name = "TASK_ID",
        value_delimiter = ',',
        requires = "task_type"
    )]
    dependencies: Vec<TaskId>,
    /// What you want to keep with it: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON", requires = "task_type")]
    metadata: Option<String>,
    /// Submitting again under the same key gives the same tasks. Derived from each task of a file when left out,
    /// random for one from the command line.
    #[arg(long, value_name = "KEY", conflicts_with = "again")]
    idempotency_key: Option<String>,
    /// Make the tasks of a file anew, even where they were submitted before.
    #[arg(long, requires = "file")]
    again: bool,
    /// Look at every task as a server would, tell all that is wrong with its line, write what is right as JSON lines, and
    /// send nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Submit {
    /// Submits what was given.
    pub async fn execute(mut self, global: &Global) -> Result {
        let Some(task_type) = self.task_type.take() else {
            return self.submit_file(global).await;
        };
        let key = common::key(self.idempotency_key.as_deref())?;
        let is_dry = self.dry_run;
        let task = self.task(task_type)?;
        if is_dry {
            return trial::try_one(&task);
        }
        let made = common::client(global)?.create_task(&task, &key).await?;
        listing::one(global.form(), &made)?;
        Ok(Exit::Ok)
    }

    fn task(self, task_type: Name) -> Result<NewTask> {
        Ok(NewTask {
            task_id: self.id,
            parameters: self.parameters.as_deref().map(json::payload).transpose()?,
            priority: self.priority,
            max_retries: self.max_retries,
            timeout_ms: self
                .timeout
                .map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            run_at: self.run_at,
            deadline: self.deadline,
            capabilities: (!self.capabilities.is_empty()).then_some(self.capabilities),
            retry_config: self.retry_config.as_deref().map(retry_config).transpose()?,
            metadata: self.metadata.as_deref().map(json::payload).transpose()?,
            agent_id: self.agent,
            dependencies: self.dependencies,
            ..NewTask::of_type(task_type)
        })
    }

    async fn submit_file(self, global: &Global) -> Result {
        // The command line requires it where there is no type.
        let path = self.file.unwrap_or_else(|| PathBuf::from("-"));
        if self.dry_run {
            return trial::try_all(Documents::open(&path)?);
        }
        let tasks = Documents::<NewTask>::open(&path)?;
        let keys = match self.idempotency_key {
            Some(key) => Keys::numbered(&key)?,
            None if self.again => Keys::Random,
            None => Keys::derived(),
        };
        let client = common::client(global)?;
        let mut form = global.form();
        if global.output.is_none() && !io::stdout().is_terminal() {
            // Programs that send documents read documents.
            form.format = Format::Jsonl;
        }
        flight::fly(client, tasks, keys, form).await
    }
}
