//! `mcpanel tasks retry` and `cancel`, of tasks that are named or of all that have something in common.
//!
//! Tasks that are named are changed one by one, and written as they are then. Tasks that a filter means are changed
//! by an operation of the server, which goes on when this program has ended.

use clap::{ArgGroup, Args};
use mcpanel_api::{
    TaskId,
    operation::{NewOperation, OperationKind},
    task::{Task, TaskStatus},
};
use mcpanel_client::Client;

use crate::{
    Result,
    commands::{
        common::{
            self,
            confirm::Consent,
            filter::Filter,
            several::each,
            waiting::Limit,
            words::{self, TASK_STATUSES},
        },
        ops,
    },
    exit::Exit,
    output::{
        self,
        form::Form,
        listing::{self, word},
        numbers::counted,
    },
};

/// Which tasks to run again.
#[derive(Debug, Args)]
#[command(group = group(), override_usage = "\
    mcpanel tasks retry [OPTIONS] <TASK_ID>...
       mcpanel tasks retry [OPTIONS] <WHICH TASKS>")]
pub struct Retry {
    #[command(flatten)]
    which: Which,
}

/// Which tasks to cancel.
#[derive(Debug, Args)]
#[command(group = group(), override_usage = "\
    mcpanel tasks cancel [OPTIONS] <TASK_ID>...
       mcpanel tasks cancel [OPTIONS] <WHICH TASKS>")]
pub struct Cancel {
    #[command(flatten)]
    which: Which,
}

/// Tasks by their ids, by what they have in common, or all.
#[derive(Debug, Args)]
struct Which {
    /// Their ids.
    #[arg(value_name = "TASK_ID", conflicts_with_all = bulk_options())]
    task_ids: Vec<TaskId>,
    /// Why; shown with the tasks that are cancelled, or with the operation.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Wait until the operation on tasks that were not named has ended.
    #[arg(long, conflicts_with = "task_ids")]
    wait: bool,
    #[command(flatten)]
    limit: Limit,
    /// Beginning again under the same key gives the same operation. Random when left out.
    #[arg(long, value_name = "KEY", conflicts_with = "task_ids")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    filter: Filter,
    /// Only those with one of these statuses; may be repeated, or given with commas.
    #[arg(
        long = "status",
        value_name = "STATUS",
        value_delimiter = ',',
        value_parser = words::of::<TaskStatus>(&TASK_STATUSES)
    )]
    statuses: Vec<TaskStatus>,
    /// All tasks there are.
    #[arg(long = "all")]
    are_all: bool,
}

/// Something must be said about which tasks are meant.
fn group() -> ArgGroup {
    ArgGroup::new("which")
        .required(true)
        .multiple(true)
        .arg("task_ids")
        .args(bulk_options())
}

/// The options that mean tasks without naming them.
fn bulk_options() -> Vec<&'static str> {
    let mut options = Filter::OPTIONS.to_vec();
    options.extend(["statuses", "are_all"]);
    options
}

impl Retry {
    /// Runs them again.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        if self.which.task_ids.is_empty() {
            return self.which.operate(OperationKind::Retry, client, form).await;
        }
        // Nothing is lost by it, so nobody is asked.
        if self.which.consent.is_dry("retry", &self.which.task_ids) {
            return tell_statuses(client, form, &self.which.task_ids).await;
        }
        each(form, &self.which.task_ids, async |id| {
            Ok(Some(client.retry_task(id).await?))
        })
        .await
    }
}

impl Cancel {
    /// Cancels them.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let which = self.which;
        if which.task_ids.is_empty() {
            return which.operate(OperationKind::Cancel, client, form).await;
        }
        let reason = which.reason.as_deref();
        if !which
            .consent
            .to_all("cancel", "task", &which.task_ids, "")?
        {
            return tell_statuses(client, form, &which.task_ids).await;
        }
        each(form, &which.task_ids, async |id| {
            Ok(Some(client.cancel_task(id, reason).await?))
        })
        .await
    }
}

impl Which {
    async fn operate(self, kind: OperationKind, client: &Client, form: Form<'_>) -> Result {
        let key = common::key(self.idempotency_key.as_deref())?;
        let mut filter = self.filter.selection();
        filter.statuses = self.statuses;
        let new = NewOperation {
            kind,
            filter,
            all: self.are_all,
            reason: self.reason,
            dry_run: false,
        };
        let preview = client.preview_operation(&new).await?;
        let count = match preview.matched_more {
            true => format!("more than {}", counted(preview.matched, "task")),
            false => counted(preview.matched, "task"),
        };
        if preview.matched == 0 {
            output::say(format_args!("there is no task to {}", word(kind)));
            return Ok(Exit::Ok);
        }
        if !self.consent.to(&format!("{} {count}", word(kind)))? {
            return Ok(Exit::Ok);
        }
        output::say(format_args!("{} {count}", word(kind)));
        let begun = client.create_operation(&new, &key).await?.document;
        if self.wait || self.limit.timeout.is_some() {
            return ops::wait(client, form, &begun.operation_id, self.limit).await;
        }
        listing::one(form, &begun)?;
        output::say(format_args!(
            "it goes on by itself: `mcpanel ops watch {}`",
            begun.operation_id
        ));
        Ok(Exit::Ok)
    }
}

async fn tell_statuses(client: &Client, form: Form<'_>, ids: &[TaskId]) -> Result {
    each(form, ids, async |id| {
        let status = word(client.get_task(id).await?.status);
        output::say(format_args!("task `{id}` is {status}"));
        Ok(None::<Task>)
    })
    .await
}
