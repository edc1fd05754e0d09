//! `mcpanel tasks wait` and `watch`: until tasks are where they are wanted; the exit code tells how they ended.

use std::time::Duration;

use clap::{Args, ValueEnum};
use mcpanel_api::{
    TaskId,
    task::{Task, TaskStatus},
};
use mcpanel_client::Client;

use crate::{
    Result,
    commands::common::{
        confirm::named,
        waiting::{End, Limit, time_is_up},
        watching::{Look, look_again},
    },
    exit::Exit,
    output::{self, cell::harmless, durations, form::Form, listing, numbers::counted},
};

/// What to wait for.
#[derive(Debug, Args)]
pub struct Wait {
    /// Ids of tasks.
    #[arg(required = true, value_name = "TASK_ID")]
    task_ids: Vec<TaskId>,
    /// What to wait for.
    #[arg(long = "for", value_enum, value_name = "WHAT", default_value_t = Goal::Completed)]
    goal: Goal,
    #[command(flatten)]
    limit: Limit,
}

/// Which tasks to watch.
#[derive(Debug, Args)]
pub struct Watch {
    /// Their ids.
    #[arg(required = true, value_name = "TASK_ID")]
    task_ids: Vec<TaskId>,
    /// How often to look.
    #[arg(long, value_name = "DURATION", value_parser = durations::parse_pause, default_value = "1s")]
    every: Duration,
    #[command(flatten)]
    limit: Limit,
}

/// What a task is waited for to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Goal {
    /// An agent works on it, or has.
    Running,
    /// It is done; a failed or cancelled one will never be.
    #[value(alias = "done")]
    Completed,
    /// It has ended, in whichever way: each is as good.
    Ended,
}

impl Wait {
    /// Waits, writes the tasks as they are then, and answers with the worst that happened.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let read = async |id: &TaskId| Ok(client.get_task(id).await?);
        let is_settled = |task: &Task| self.goal.is_settled(task.status);
        let (tasks, end) = self
            .limit
            .until_all(&self.task_ids, read, is_settled)
            .await?;
        if matches!(end, End::Interrupted) {
            return Ok(Exit::Interrupted);
        }
        match tasks.as_slice() {
            [task] => listing::one(form, task)?,
            tasks => listing::many(form, tasks)?,
        }
        if matches!(end, End::TimeUp) {
            let open = tasks.iter().filter(|task| !is_settled(task));
            let open = counted(open.count() as u64, "task");
            let what = format!("{open} not {}", self.goal.words());
            return Err(time_is_up(&what, self.limit.timeout)
                .hint("`mcpanel tasks explain ID` says what a task waits for"));
        }
        Ok(match self.goal {
            Goal::Ended => Exit::Ok,
            Goal::Running | Goal::Completed => verdict(&tasks),
        })
    }
}

impl Watch {
    /// Shows the tasks until all have ended, redrawn on a terminal, else their changes as documents.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let look = async || {
            let mut documents = Vec::new();
            for id in &self.task_ids {
                documents.push(client.get_task(id).await?);
            }
            let is_last = documents.iter().all(|task| has_ended(task.status));
            Ok(Look { documents, is_last })
        };
        match look_again(form, self.every, self.limit, look).await? {
            End::Reached(tasks) => Ok(verdict(&tasks)),
            End::Interrupted => Ok(Exit::Interrupted),
            End::TimeUp => {
                let what = format!("{} not ended", named("task", &self.task_ids));
                Err(time_is_up(&what, self.limit.timeout)
                    .hint("`mcpanel tasks explain ID` says what a task waits for"))
            }
        }
    }
}

/// The worst that happened to tasks, as an exit code.
fn verdict(tasks: &[Task]) -> Exit {
    for task in tasks {
        let became = match task.status {
            TaskStatus::Failed => "failed",
            TaskStatus::Cancelled => "was cancelled",
            TaskStatus::Pending
            | TaskStatus::Assigned
            | TaskStatus::Running
            | TaskStatus::Retry
            | TaskStatus::Completed => continue,
        };
        let why = task
            .error
            .as_ref()
            .map_or("", |error| error.message.as_str());
        let why = harmless(why);
        output::say(format_args!("task `{}` {became}: {why}", task.task_id));
    }
    let any = |status| tasks.iter().any(|task| task.status == status);
    if any(TaskStatus::Failed) {
        Exit::WatchedFailed
    } else if any(TaskStatus::Cancelled) {
        Exit::WatchedCancelled
    } else {
        Exit::Ok
    }
}

impl Goal {
    /// Whether waiting on changes nothing any more.
    fn is_settled(self, status: TaskStatus) -> bool {
        has_ended(status) || (self == Self::Running && status == TaskStatus::Running)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Ended => "ended",
        }
    }
}

/// Whether nothing more will happen to a task by itself.
pub fn has_ended(status: TaskStatus) -> bool {
    match status {
        TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => true,
        TaskStatus::Pending | TaskStatus::Assigned | TaskStatus::Running | TaskStatus::Retry => {
            false
        }
    }
}
