//! `mcpanel tasks update`: another priority, another moment, for a task that waits.

use std::time::Duration;

use clap::{ArgGroup, Args};
use mcpanel_api::{Name, TaskId, Timestamp, task::UpdateTask};
use mcpanel_client::Client;

use super::retry_config;
use crate::{
    Result,
    commands::common::json,
    exit::Exit,
    output::{durations, form::Form, listing},
};

/// What to change.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args([
    "priority", "max_retries", "timeout", "no_timeout", "run_at", "run_now", "deadline", "no_deadline", "capabilities",
    "retry_config", "dependencies", "no_dependencies", "metadata",
]))]
pub struct Update {
    /// Its id.
    task_id: TaskId,
    /// Higher runs first, -1000 to 1000.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Attempts after the first.
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// How long one attempt may take, such as `10m`.
    #[arg(long, value_name = "DURATION", value_parser = durations::parse)]
    timeout: Option<Duration>,
    /// Let an attempt take as long as it takes.
    #[arg(long, conflicts_with = "timeout")]
    no_timeout: bool,
    /// Not before this moment, such as `2026-01-02T03:04:05Z`.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    run_at: Option<Timestamp>,
    /// As soon as an agent is free.
    #[arg(long, conflicts_with = "run_at")]
    run_now: bool,
    /// Fail when not completed by this moment.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    deadline: Option<Timestamp>,
    /// Let it wait for as long as it must.
    #[arg(long, conflicts_with = "deadline")]
    no_deadline: bool,
    /// What an agent must offer to run it; may be repeated, or given with commas.
    #[arg(long = "capability", value_name = "NAME", value_delimiter = ',')]
    capabilities: Vec<Name>,
    /// When a failed attempt is tried again, in place of what there is: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON")]
    retry_config: Option<String>,
    /// A task that must complete first, in place of those there are; may be repeated, or given with commas.
    #[arg(long = "after", value_name = "TASK_ID", value_delimiter = ',')]
    dependencies: Vec<TaskId>,
    /// Let it wait for no other task.
    #[arg(long = "after-nothing", conflicts_with = "dependencies")]
    no_dependencies: bool,
    /// What you want to keep with it, in place of what there is: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Only where the task is still at this revision, as `get` shows it.
    #[arg(long, value_name = "N")]
    if_revision: Option<u64>,
}

impl Update {
    /// Changes it.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let (id, revision) = (self.task_id.clone(), self.if_revision);
        let task = client.update_task(&id, &self.changes()?, revision).await?;
        listing::one(form, &task)?;
        Ok(Exit::Ok)
    }

    fn changes(self) -> Result<UpdateTask> {
        Ok(UpdateTask {
            priority: self.priority,
            run_at: self.run_at.map(Some).or(json::or_none(self.run_now)),
            deadline: self.deadline.map(Some).or(json::or_none(self.no_deadline)),
            timeout_ms: self
                .timeout
                .map(|timeout| Some(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)))
                .or(json::or_none(self.no_timeout)),
            max_retries: self.max_retries,
            retry_config: self.retry_config.as_deref().map(retry_config).transpose()?,
            capabilities: (!self.capabilities.is_empty()).then_some(self.capabilities),
            dependencies: (self.no_dependencies || !self.dependencies.is_empty())
                .then_some(self.dependencies),
            metadata: self.metadata.as_deref().map(json::payload).transpose()?,
        })
    }
}
