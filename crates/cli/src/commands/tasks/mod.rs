//! `mcpanel tasks`: submit, see and steer tasks.

mod logs;
mod rows;
mod submit;
mod update;
mod wait;

use clap::{Args, Subcommand};
use mcpanel_api::{
    AgentId, Name, PipelineId, TaskId,
    task::{Explanation, Task, TaskQuery, TaskStatus},
};
use mcpanel_client::Client;

use super::common::{
    self,
    confirm::Consent,
    pages::Extent,
    several::each,
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

pub use submit::parameters;

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
    Cancel(Cancel),
    /// Run failed or cancelled tasks again, with fresh attempts.
    Retry {
        /// Their ids.
        #[arg(required = true, value_name = "TASK_ID")]
        task_ids: Vec<TaskId>,
    },
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
    /// Only those of this type.
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<Name>,
    /// Only those of this pipeline.
    #[arg(long, value_name = "PIPELINE_ID")]
    pipeline: Option<PipelineId>,
    /// Only those of this stage of the pipeline.
    #[arg(long, value_name = "N", requires = "pipeline")]
    stage: Option<u16>,
    /// Only those that this agent holds, or held last.
    #[arg(long, value_name = "AGENT_ID")]
    agent: Option<AgentId>,
    #[command(flatten)]
    extent: Extent,
}

/// Which tasks to cancel.
#[derive(Debug, Args)]
pub struct Cancel {
    /// Their ids.
    #[arg(required = true, value_name = "TASK_ID")]
    task_ids: Vec<TaskId>,
    /// Why; shown with the task.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    consent: Consent,
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
            Self::Retry { task_ids } => {
                each(form, &task_ids, async |id| {
                    Ok(Some(client.retry_task(id).await?))
                })
                .await
            }
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
            task_type: self.task_type,
            pipeline_id: self.pipeline,
            stage: self.stage,
            assigned_agent_id: self.agent,
            limit: None,
            cursor: None,
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

impl Cancel {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let reason = self.reason.as_deref();
        if !self.consent.to_all("cancel", "task", &self.task_ids, "")? {
            return each(form, &self.task_ids, async |id| {
                let status = word(client.get_task(id).await?.status);
                output::say(format_args!("task `{id}` is {status}"));
                Ok(None::<Task>)
            })
            .await;
        }
        each(form, &self.task_ids, async |id| {
            Ok(Some(client.cancel_task(id, reason).await?))
        })
        .await
    }
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
