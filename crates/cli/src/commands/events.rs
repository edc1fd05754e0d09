//! `mcpanel events`: see what happened, and what happens.

use std::pin::pin;

use clap::{Args, Subcommand};
use mcpanel_api::{
    AgentId, PipelineId, TaskId, Timestamp,
    event::{Event, EventQuery},
};
use mcpanel_client::{Client, events::Happening};

use super::{
    common::{self, filter::moment},
    interrupted,
};
use crate::{
    Result,
    arguments::Global,
    exit::Exit,
    output::{
        self,
        cell::{Cell, colour, harmless, text},
        form::Form,
        listing::{Listing, Row, streamed},
    },
};

/// Largest page that the API gives.
const PAGE_EVENTS: u32 = 500;

/// See what happened, and what happens.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List events that are kept, oldest first.
    List(List),
    /// Follow events as they happen, until Ctrl-C; over restarts of the server.
    Tail(Tail),
}

/// Which events.
#[derive(Debug, Args)]
struct Filter {
    /// Only kinds that begin with this, such as `task:` or `task:completed`.
    #[arg(long = "type", value_name = "KIND")]
    kind: Option<String>,
    /// Only events about this task.
    #[arg(long, value_name = "TASK_ID")]
    task: Option<TaskId>,
    /// Only events about this pipeline and its tasks.
    #[arg(long, value_name = "PIPELINE_ID")]
    pipeline: Option<PipelineId>,
    /// Only events about this agent.
    #[arg(long, value_name = "AGENT_ID")]
    agent: Option<AgentId>,
    /// Only what this caller caused, such as `admin`, `key:<id>` or `agent:<id>`.
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Only events with this in their message, in what they are about or in an id; case does not matter.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// Which events to list.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    filter: Filter,
    /// Begin after the event of this number; with the oldest that is kept when left out.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Look through the newest N events only.
    #[arg(long, value_name = "N", conflicts_with = "after")]
    last: Option<u64>,
    /// Only those that happened since: a moment such as `2026-01-02T03:04:05Z`, or a time ago such as `2h`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only those that happened before.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Show at most so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Show all there are.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// Which events to follow.
#[derive(Debug, Args)]
pub struct Tail {
    #[command(flatten)]
    filter: Filter,
    /// Begin after the event of this number; 0 for the oldest that is kept, the next to happen when left out.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Look through the newest N events first.
    #[arg(long, value_name = "N", conflicts_with = "after")]
    last: Option<u64>,
}

impl Events {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let client = common::client(global)?;
        match self {
            Self::List(list) => list.execute(&client, global.form()).await,
            Self::Tail(tail) => tail.execute(&client, global.form()).await,
        }
    }
}

impl Filter {
    fn query(self) -> EventQuery {
        EventQuery {
            kind: self.kind,
            task_id: self.task,
            pipeline_id: self.pipeline,
            agent_id: self.agent,
            by: self.by,
            text: self.text,
            ..EventQuery::default()
        }
    }
}

impl List {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let mut left = if self.all { u64::MAX } else { self.limit };
        let mut query = self.filter.query();
        query.after = self.after;
        query.happened_from = self.since;
        query.happened_before = self.until;
        if let Some(last) = self.last {
            query.after = Some(before_last(client, last).await?);
        }
        let mut listing = Listing::new(form)?;
        loop {
            query.limit = Some(u32::try_from(left).unwrap_or(u32::MAX).min(PAGE_EVENTS));
            let page = client.list_events(&query).await?;
            if page.reset {
                output::say("older events are not kept any more");
            }
            listing.add(&page.events)?;
            left = left.saturating_sub(page.events.len() as u64);
            query.after = Some(page.next_after);
            if left == 0 || !page.has_more {
                listing.finish()?;
                if page.has_more {
                    output::say(format_args!(
                        "there are more: go on with `--after {}`, or give `--limit` or `--all`",
                        page.next_after
                    ));
                }
                return Ok(Exit::Ok);
            }
        }
    }
}

impl Tail {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let mut query = self.filter.query();
        query.after = match self.last {
            Some(last) => Some(before_last(client, last).await?),
            None => self.after,
        };
        let mut follow = client.follow_events(query);
        let mut stop = pin!(interrupted());
        let mut last = None;
        loop {
            let happening = tokio::select! {
                happening = follow.next() => happening?,
                () = &mut stop => {
                    if let Some(last) = last {
                        output::say(format_args!("go on from here with `--after {last}`"));
                    }
                    return Ok(Exit::Interrupted);
                }
            };
            match happening {
                Happening::Event(event) => {
                    show(form, &event)?;
                    last = Some(event.seq);
                }
                Happening::Reset => output::say("some events are gone; going on with the next"),
            }
        }
    }
}

/// The number after which the newest `last` events are.
async fn before_last(client: &Client, last: u64) -> Result<u64> {
    let oldest = EventQuery {
        limit: Some(1),
        ..EventQuery::default()
    };
    let page = client.list_events(&oldest).await?;
    Ok(page.last_seq.saturating_sub(last))
}

fn show(form: Form<'_>, event: &Event) -> Result<()> {
    streamed(form.format, event, Event::name, |event| {
        let verb = event.kind.rsplit(':').next().unwrap_or_default();
        let paint = colour(verb).map_or_else(anstyle::Style::new, |colour| colour.on_default());
        output::styled(format_args!(
            "{}  {:<8} {paint}{:<20}{paint:#} {}",
            event.timestamp,
            event.seq,
            harmless(&event.kind),
            harmless(&words(event))
        ))
    })
}

/// What it happened to.
fn subject(event: &Event) -> Option<&str> {
    let payload = &event.payload;
    // A task's id says its pipeline already.
    payload
        .task_id
        .as_ref()
        .map(TaskId::as_str)
        .or(payload.artifact_id.as_deref())
        .or(payload.pipeline_id.as_ref().map(PipelineId::as_str))
        .or(payload.agent_id.as_ref().map(AgentId::as_str))
        .or(payload.template_id.as_deref())
        .or(payload.key_id.as_deref())
}

fn words(event: &Event) -> String {
    let payload = &event.payload;
    let mut words: Vec<String> = subject(event).map(str::to_owned).into_iter().collect();
    if payload.task_id.is_some()
        && let Some(agent) = &payload.agent_id
    {
        words.push(format!("by {agent}"));
    }
    if let Some(progress) = payload.progress {
        words.push(format!("{progress:.0} %"));
    }
    words.extend(payload.message.clone());
    words.join("  ")
}

impl Row for Event {
    const HEADER: &'static [&'static str] = &["SEQ", "TIME", "TYPE", "ABOUT", "STATUS", "MESSAGE"];

    const WIDE: &'static [&'static str] = &["BY", "TASK", "PIPELINE", "STAGE", "AGENT", "PROGRESS"];

    fn name(&self) -> String {
        self.seq.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(self.seq),
            self.timestamp.into(),
            self.kind.as_str().into(),
            subject(self).into(),
            self.payload.status.clone().map(Cell::Status).into(),
            self.payload.message.as_deref().map(Cell::long).into(),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        let payload = &self.payload;
        vec![
            self.by.as_deref().into(),
            payload.task_id.as_ref().map(text).into(),
            payload.pipeline_id.as_ref().map(text).into(),
            payload.stage.map(text).into(),
            payload.agent_id.as_ref().map(text).into(),
            payload
                .progress
                .map(|done| text(format_args!("{done:.0} %")))
                .into(),
        ]
    }
}
