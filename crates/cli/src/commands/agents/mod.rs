//! `mcpanel agents`: see and steer agents.

pub mod builtin;
mod rows;
mod update;

use clap::{Args, Subcommand};
use mcpanel_api::{
    AgentId, Name,
    agent::{Admission, Agent, AgentQuery, AgentStatus, UpdateAgent},
};
use mcpanel_client::Client;

use super::common::{
    self,
    confirm::Consent,
    pages::{Extent, Page},
    several::each,
    waiting::{End, Limit, time_is_up},
    words::{self, AGENT_STATUSES},
};
use crate::{
    Failure, Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{self, form::Form, listing, numbers::counted},
};

/// See and steer agents.
#[derive(Debug, Subcommand)]
pub enum Agents {
    /// List agents, newest first.
    List(List),
    /// Show an agent.
    Get {
        /// Its id.
        agent_id: AgentId,
    },
    /// Show what the agents that are alive offer, and how much of it is free.
    Discover {
        /// Only agents that offer this.
        #[arg(long, value_name = "NAME")]
        capability: Option<Name>,
        /// Only agents of this kind.
        #[arg(long = "type", value_name = "KIND")]
        kind: Option<Name>,
        /// Only agents with this status; those that are alive when left out.
        #[arg(long, value_parser = words::of::<AgentStatus>(&AGENT_STATUSES))]
        status: Option<AgentStatus>,
    },
    /// Change what is known of an agent, which is told by its next registration again.
    Update(Box<update::Update>),
    /// Give agents nothing new, and let them finish what they hold.
    Drain(Drain),
    /// Run the six built-in agents, working for the server, until Ctrl-C.
    Run(builtin::Run),
    /// Give agents work again, after `drain` or `disable`.
    #[command(visible_alias = "enable")]
    Resume(Named),
    /// Give agents nothing until they are resumed.
    Disable(Named),
    /// Sign agents off; what they hold returns to the queue.
    Delete {
        /// Their ids.
        #[arg(required = true, value_name = "AGENT_ID")]
        agent_ids: Vec<AgentId>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Which agents to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only those with this status.
    #[arg(long, value_parser = words::of::<AgentStatus>(&AGENT_STATUSES))]
    status: Option<AgentStatus>,
    /// Only those that offer this.
    #[arg(long, value_name = "NAME")]
    capability: Option<Name>,
    /// Only those of this kind.
    #[arg(long = "type", value_name = "KIND")]
    kind: Option<Name>,
    #[command(flatten)]
    extent: Extent,
}

/// Which agents are meant.
#[derive(Debug, Args)]
pub struct Named {
    /// Their ids.
    #[arg(required = true, value_name = "AGENT_ID")]
    agent_ids: Vec<AgentId>,
    /// Only where the agent, which must be one alone, is still at this revision, as `get` shows it.
    #[arg(long, value_name = "N")]
    if_revision: Option<u64>,
}

/// Which agents to drain.
#[derive(Debug, Args)]
pub struct Drain {
    #[command(flatten)]
    named: Named,
    /// Wait until they hold nothing; `--timeout` says so too.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    limit: Limit,
}

impl Agents {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let client = common::client(global)?;
        let form = global.form();
        match self {
            Self::List(list) => list.execute(&client, form).await,
            Self::Get { agent_id } => {
                listing::one(form, &client.get_agent(&agent_id).await?)?;
                Ok(Exit::Ok)
            }
            Self::Run(run) => run.execute(&client).await,
            Self::Drain(drain) => drain.execute(&client, form).await,
            Self::Update(update) => update.execute(&client, form).await,
            Self::Resume(named) => named.admit(&client, form, Admission::Open).await,
            Self::Disable(named) => named.admit(&client, form, Admission::Disabled).await,
            Self::Delete { agent_ids, consent } => delete(&client, form, &agent_ids, consent).await,
            Self::Discover {
                capability,
                kind,
                status,
            } => {
                let query = AgentQuery {
                    capability,
                    kind,
                    status,
                    ..AgentQuery::default()
                };
                discover(&client, form, &query).await
            }
        }
    }
}

impl List {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let query = AgentQuery {
            status: self.status,
            capability: self.capability,
            kind: self.kind,
            limit: None,
            cursor: None,
        };
        let read = async |page: Page| {
            let query = AgentQuery {
                limit: page.limit,
                cursor: page.cursor,
                ..query.clone()
            };
            let page = client.list_agents(&query).await?;
            Ok((page.agents, page.next_cursor))
        };
        self.extent.show(form, read).await
    }
}

impl Drain {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        if !self.wait && self.limit.timeout.is_none() {
            return self.named.admit(client, form, Admission::Draining).await;
        }
        let (agent_ids, revision) = self.named.checked()?;
        for id in agent_ids {
            admission(client, id, Admission::Draining, revision).await?;
        }
        let read = async |id: &AgentId| Ok(client.get_agent(id).await?);
        let (agents, end) = self
            .limit
            .until_all(agent_ids, read, |agent| agent.slots_in_use == 0)
            .await?;
        listing::many(form, &agents)?;
        match end {
            End::Reached(()) => Ok(Exit::Ok),
            End::Interrupted => Ok(Exit::Interrupted),
            End::TimeUp => {
                let held: u64 = agents
                    .iter()
                    .map(|agent| u64::from(agent.slots_in_use))
                    .sum();
                let what = format!("still holding {}", counted(held, "task"));
                Err(time_is_up(&what, self.limit.timeout)
                    .hint("`mcpanel tasks list --agent ID` shows what an agent holds"))
            }
        }
    }
}

impl Named {
    /// The ids, and the revision that the only one must have.
    fn checked(&self) -> Result<(&[AgentId], Option<u64>)> {
        if self.if_revision.is_some() && self.agent_ids.len() > 1 {
            return Err(Failure::usage(
                "`--if-revision` is about one agent, and several are named",
            )
            .hint("name one agent for each call"));
        }
        Ok((&self.agent_ids, self.if_revision))
    }

    async fn admit(&self, client: &Client, form: Form<'_>, wanted: Admission) -> Result {
        let (ids, revision) = self.checked()?;
        each(form, ids, async |id| {
            Ok(Some(admission(client, id, wanted, revision).await?))
        })
        .await
    }
}

async fn admission(
    client: &Client,
    id: &AgentId,
    wanted: Admission,
    revision: Option<u64>,
) -> Result<Agent> {
    let changes = UpdateAgent {
        admission: Some(wanted),
        ..UpdateAgent::default()
    };
    // Without a revision it is meant whatever else changed meanwhile.
    Ok(client.update_agent(id, &changes, revision).await?)
}

async fn delete(client: &Client, form: Form<'_>, ids: &[AgentId], consent: Consent) -> Result {
    let mut held = 0;
    for id in ids {
        // One that is not there is told when it is its turn.
        match client.get_agent(id).await {
            Ok(agent) => held += u64::from(agent.slots_in_use),
            Err(error) if error.code() == Some("not_found") => {}
            Err(error) => return Err(error.into()),
        }
    }
    let aside = match held {
        0 => String::new(),
        held => format!(
            " and take back the {} {}",
            counted(held, "task"),
            if ids.len() == 1 {
                "it holds"
            } else {
                "they hold"
            }
        ),
    };
    if !consent.to_all("delete", "agent", ids, &aside)? {
        return Ok(Exit::Ok);
    }
    each(form, ids, async |id| {
        client.delete_agent(id).await?;
        output::say(format_args!("deleted agent `{id}`"));
        Ok(None::<Agent>)
    })
    .await
}

async fn discover(client: &Client, form: Form<'_>, query: &AgentQuery) -> Result {
    let found = client.discover_agents(query).await?;
    match form.format {
        Format::Json => output::json(&found)?,
        Format::Jsonl => output::jsonl(&found)?,
        Format::Yaml => output::yaml::document(&found)?,
        Format::Table | Format::Wide | Format::Name => {
            listing::many(form, &found.capabilities)?;
        }
    }
    Ok(Exit::Ok)
}
