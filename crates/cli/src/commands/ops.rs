//! `mcpanel ops`: operations on many tasks, which `tasks retry` and `tasks cancel` begin.

use std::time::Duration;

use clap::{Args, Subcommand};
use mcpanel_api::{
    OperationId,
    operation::{Operation, OperationQuery, OperationStatus},
};
use mcpanel_client::Client;

use super::common::{
    self,
    confirm::Consent,
    pages::{Extent, Page},
    several::each,
    waiting::{End, Limit, time_is_up},
    watching::{Look, look_again},
    words::{self, OPERATION_STATUSES},
};
use crate::{
    Result,
    arguments::Global,
    exit::Exit,
    output::{
        self,
        cell::{Cell, harmless, text},
        durations,
        form::Form,
        listing::{self, Row, word},
        numbers::grouped,
    },
};

/// See and stop operations on many tasks.
#[derive(Debug, Subcommand)]
pub enum Ops {
    /// List operations, newest first.
    List(List),
    /// Show an operation.
    Get {
        /// Its id.
        operation_id: OperationId,
    },
    /// Watch an operation until it has ended; the exit code tells how.
    Watch(Watch),
    /// Stop operations; what they have done stays done.
    Abort {
        /// Their ids.
        #[arg(required = true, value_name = "OPERATION_ID")]
        operation_ids: Vec<OperationId>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Which operations to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only those with this status.
    #[arg(long, value_parser = words::of::<OperationStatus>(&OPERATION_STATUSES))]
    status: Option<OperationStatus>,
    #[command(flatten)]
    extent: Extent,
}

/// Which operation to watch.
#[derive(Debug, Args)]
pub struct Watch {
    /// Its id.
    operation_id: OperationId,
    /// How often to look.
    #[arg(long, value_name = "DURATION", value_parser = durations::parse_pause, default_value = "1s")]
    every: Duration,
    #[command(flatten)]
    limit: Limit,
}

impl Ops {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let form = global.form();
        let client = common::client(global)?;
        match self {
            Self::List(list) => list.execute(&client, form).await,
            Self::Get { operation_id } => {
                listing::one(form, &client.get_operation(&operation_id).await?)?;
                Ok(Exit::Ok)
            }
            Self::Watch(watch) => watch.execute(&client, form).await,
            Self::Abort {
                operation_ids,
                consent,
            } => {
                if !consent.to_all("stop", "operation", &operation_ids, "")? {
                    return Ok(Exit::Ok);
                }
                each(form, &operation_ids, async |id| {
                    Ok(Some(client.abort_operation(id).await?))
                })
                .await
            }
        }
    }
}

impl List {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let status = self.status;
        let read = async |page: Page| {
            let query = OperationQuery {
                status,
                limit: page.limit,
                cursor: page.cursor,
            };
            let page = client.list_operations(&query).await?;
            Ok((page.operations, page.next_cursor))
        };
        self.extent.show(form, read).await
    }
}

impl Watch {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let id = &self.operation_id;
        let look = async || {
            let operation = client.get_operation(id).await?;
            Ok(Look {
                is_last: operation.status != OperationStatus::Running,
                documents: vec![operation],
            })
        };
        match look_again(form, self.every, self.limit, look).await? {
            End::Reached(operations) => Ok(operations.first().map_or(Exit::Ok, verdict)),
            End::Interrupted => Ok(Exit::Interrupted),
            End::TimeUp => Err(still_running(id, self.limit)),
        }
    }
}

/// Waits until an operation has ended, and writes it as it is then.
pub async fn wait(client: &Client, form: Form<'_>, id: &OperationId, limit: Limit) -> Result {
    let end = limit
        .until(async || {
            let operation = client.get_operation(id).await?;
            Ok(match operation.status {
                OperationStatus::Running => std::ops::ControlFlow::Continue(()),
                OperationStatus::Completed | OperationStatus::Aborted | OperationStatus::Failed => {
                    std::ops::ControlFlow::Break(operation)
                }
            })
        })
        .await?;
    match end {
        End::Reached(operation) => {
            listing::one(form, &operation)?;
            Ok(verdict(&operation))
        }
        End::Interrupted => {
            output::say(format_args!(
                "it goes on by itself: `mcpanel ops watch {id}`, or stop it with `mcpanel ops abort {id}`"
            ));
            Ok(Exit::Interrupted)
        }
        End::TimeUp => Err(still_running(id, limit)),
    }
}

fn still_running(id: &OperationId, limit: Limit) -> crate::Failure {
    time_is_up(&format!("operation `{id}` has not ended"), limit.timeout)
        .hint(format!("it goes on by itself: `mcpanel ops watch {id}`"))
}

/// How an operation ended, as an exit code.
fn verdict(operation: &Operation) -> Exit {
    let (became, exit) = match operation.status {
        OperationStatus::Running | OperationStatus::Completed => return Exit::Ok,
        OperationStatus::Failed => ("failed", Exit::WatchedFailed),
        OperationStatus::Aborted => ("was stopped", Exit::WatchedCancelled),
    };
    let why = harmless(operation.error.as_deref().unwrap_or_default());
    output::say(format_args!(
        "operation `{}` {became}: {why}",
        operation.operation_id
    ));
    exit
}

impl Row for Operation {
    const HEADER: &'static [&'static str] = &[
        "OPERATION",
        "KIND",
        "STATUS",
        "PROGRESS",
        "MATCHED",
        "DONE",
        "SKIPPED",
        "FAILED",
        "CREATED",
        "REASON",
    ];
    const WIDE: &'static [&'static str] = &["FILTER", "ENDED", "CREATED BY", "ERROR"];

    fn name(&self) -> String {
        self.operation_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.operation_id),
            Cell::from(word(self.kind)),
            Cell::status(self.status),
            text(format_args!("{:.0} %", self.progress)),
            matched(self),
            text(self.done),
            text(self.skipped),
            text(self.failed),
            self.created_at.into(),
            self.reason.as_deref().map(Cell::long).into(),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![
            filter(self),
            self.completed_at.into(),
            self.created_by.as_str().into(),
            self.error.as_deref().map(Cell::long).into(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("OPERATION", text(&self.operation_id)),
            ("KIND", Cell::from(word(self.kind))),
            ("STATUS", Cell::status(self.status)),
            ("ERROR", self.error.as_deref().map(Cell::long).into()),
            ("PROGRESS", text(format_args!("{:.0} %", self.progress))),
            ("MATCHED", matched(self)),
            ("DONE", text(grouped(self.done))),
            ("SKIPPED", text(grouped(self.skipped))),
            ("FAILED", text(grouped(self.failed))),
            ("FILTER", filter(self)),
            ("REASON", self.reason.as_deref().map(Cell::long).into()),
            ("CREATED", self.created_at.into()),
            ("ENDED", self.completed_at.into()),
            ("CREATED BY", self.created_by.as_str().into()),
            ("REVISION", text(self.revision)),
        ]
    }
}

fn matched(operation: &Operation) -> Cell {
    let more = if operation.matched_more { "+" } else { "" };
    text(format_args!("{}{more}", operation.matched))
}

/// The filter as the API writes it.
fn filter(operation: &Operation) -> Cell {
    serde_json::to_string(&operation.filter).map_or(Cell::Empty, |text| Cell::long(&text))
}
