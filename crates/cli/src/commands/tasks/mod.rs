//! `mcpanel tasks`: submit, see and steer tasks.

mod bulk;
mod logs;
mod rows;
mod submit;
mod update;
mod wait;

use clap::{Args, Subcommand};
use mcpanel_api::{
    AgentId, RetryConfig, TaskId,
    task::{Explanation, TaskQuery, TaskStatus},
};
use mcpanel_client::Client;

use super::common::{
    self,
    filter::Filter,
    pages::Extent,
    words::{self, TASK_STATUSES},
};
use crate::{
    Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{
        self,
        cell::harmless,
        form::Form,
        listing::{self, word},
    },
};

use super::metrics::{self, Back};

/// Submit, see and steer tasks.
#[derive(Debug, Subcommand)]
pub enum Tasks {
    /// Submit tasks: from a file or stdin, or one from the command line.
    Submit(Box<submit::Submit>),
    /// List tasks, newest first.
    List(List),
    /// Show a task.
    Get {
        /// Its id.
        task_id: TaskId,
    },
    /// Watch tasks until they have ended; the exit code tells how.
    Watch(wait::Watch),
    /// Change a task that waits.
    Update(Box<update::Update>),
    /// Cancel tasks; a running one stops when its agent hears of it.
    Cancel(Box<bulk::Cancel>),
    /// Run failed or cancelled tasks again, with fresh attempts.
    Retry(Box<bulk::Retry>),
    /// Show why tasks failed for good, the most frequent reason first.
    Errors(Back),
    /// Hand a task to an agent now.
    Delegate {
        /// Its id.
        task_id: TaskId,
        /// The agent; the best one when left out.
        #[arg(long, value_name = "AGENT_ID")]
        to: Option<AgentId>,
    },
    /// Say why a task does not run.
    Explain {
        /// Its id.
        task_id: TaskId,
    },
    /// Show the attempts at a task: who tried, how long, how it ended.
    Attempts {
        /// Its id.
        task_id: TaskId,
    },
    /// Show what agents logged about a task.
    Logs(logs::Logs),
    /// Wait for tasks; the exit code tells how they ended.
    Wait(wait::Wait),
}

/// Which tasks to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only those with this status.
    #[arg(long, value_parser = words::of::<TaskStatus>(&TASK_STATUSES))]
    status: Option<TaskStatus>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    filter: Filter,
}

impl Tasks {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let form = global.form();
        if let Self::Submit(submit) = self {
            // It speaks to a server only after its file has been looked at.
            return submit.execute(global).await;
        }
        let client = common::client(global)?;
        match self {
            Self::Submit(_) => Ok(Exit::Ok),
            Self::List(list) => list.execute(&client, form).await,
            Self::Get { task_id } => {
                listing::one(form, &client.get_task(&task_id).await?)?;
                Ok(Exit::Ok)
            }
            Self::Watch(watch) => watch.execute(&client, form).await,
            Self::Update(update) => update.execute(&client, form).await,
            Self::Cancel(cancel) => cancel.execute(&client, form).await,
            Self::Retry(retry) => retry.execute(&client, form).await,
            Self::Errors(back) => metrics::errors(&client, form, back).await,
            Self::Delegate { task_id, to } => {
                listing::one(form, &client.delegate_task(&task_id, to).await?)?;
                Ok(Exit::Ok)
            }
            Self::Explain { task_id } => {
                explain(form, &client.explain_task(&task_id).await?)?;
                Ok(Exit::Ok)
            }
            Self::Attempts { task_id } => {
                listing::many(form, &client.list_attempts(&task_id).await?.attempts)?;
                Ok(Exit::Ok)
            }
            Self::Logs(logs) => logs.execute(&client, form).await,
            Self::Wait(wait) => wait.execute(&client, form).await,
        }
    }
}

impl List {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let query = TaskQuery {
            status: self.status,
            ..self.filter.query()
        };
        let read = async |page: common::pages::Page| {
            let query = TaskQuery {
                limit: page.limit,
                cursor: page.cursor,
                ..query.clone()
            };
            let page = client.list_tasks(&query).await?;
            Ok((page.tasks, page.next_cursor))
        };
        self.extent.show(form, read).await
    }
}

/// How a retry policy is written.
const RETRY_CONFIG: &str =
    "{\"maxRetries\": 5, \"initialDelay\": 1000, \"retryableErrors\": [\"network\", \"timeout\"]}";

/// Reads a retry policy; what is left out has its default.
fn retry_config(given: &str) -> Result<RetryConfig> {
    common::json::object(given, RETRY_CONFIG)
}

fn explain(form: Form<'_>, explanation: &Explanation) -> Result<()> {
    match form.format {
        Format::Table | Format::Wide => {
            output::line(&harmless(&explanation.summary))?;
            // One blocker is the summary already.
            if explanation.blockers.len() > 1 {
                for blocker in &explanation.blockers {
                    let kind = word(blocker.kind);
                    output::line(&format!("- {kind}: {}", harmless(&blocker.detail)))?;
                }
            }
            Ok(())
        }
        Format::Json => output::json(explanation),
        Format::Jsonl => output::jsonl(explanation),
        Format::Yaml => output::yaml::document(explanation),
        Format::Name => output::line(explanation.task_id.as_str()),
    }
}
