//! `mcpanel agents`: see and steer agents.

mod rows;

use std::ops::ControlFlow;

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
    Result,
    arguments::{Format, Global},
    exit::Exit,
    output::{self, listing, numbers::counted},
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
    /// Give agents nothing new, and let them finish what they hold.
    Drain(Drain),
    /// Give agents work again.
    Resume {
        /// Their ids.
        #[arg(required = true, value_name = "AGENT_ID")]
        agent_ids: Vec<AgentId>,
    },
    /// Give agents nothing until they are resumed.
    Disable {
        /// Their ids.
        #[arg(required = true, value_name = "AGENT_ID")]
        agent_ids: Vec<AgentId>,
    },
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

/// Which agents to drain.
#[derive(Debug, Args)]
pub struct Drain {
    /// Their ids.
    #[arg(required = true, value_name = "AGENT_ID")]
    agent_ids: Vec<AgentId>,
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
        let format = global.output;
        match self {
            Self::List(list) => list.execute(&client, format).await,
            Self::Get { agent_id } => {
                listing::one(format, &client.get_agent(&agent_id).await?)?;
                Ok(Exit::Ok)
            }
            Self::Drain(drain) => drain.execute(&client, format).await,
            Self::Resume { agent_ids } => admit(&client, format, &agent_ids, Admission::Open).await,
            Self::Disable { agent_ids } => {
                admit(&client, format, &agent_ids, Admission::Disabled).await
            }
            Self::Delete { agent_ids, consent } => {
                each(format, &agent_ids, async |id| {
                    delete(&client, id, consent).await.map(|()| None::<Agent>)
                })
                .await
            }
        }
    }
}

impl List {
    async fn execute(self, client: &Client, format: Format) -> Result {
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
        self.extent.show(format, read).await
    }
}

impl Drain {
    async fn execute(self, client: &Client, format: Format) -> Result {
        if !self.wait && self.limit.timeout.is_none() {
            return admit(client, format, &self.agent_ids, Admission::Draining).await;
        }
        for id in &self.agent_ids {
            admission(client, id, Admission::Draining).await?;
        }
        let mut agents: Vec<Agent> = Vec::new();
        let end = self
            .limit
            .until(async || {
                agents.clear();
                for id in &self.agent_ids {
                    agents.push(client.get_agent(id).await?);
                }
                Ok(match agents.iter().all(|agent| agent.slots_in_use == 0) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                })
            })
            .await?;
        listing::many(format, &agents)?;
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

async fn admit(client: &Client, format: Format, ids: &[AgentId], wanted: Admission) -> Result {
    each(format, ids, async |id| {
        Ok(Some(admission(client, id, wanted).await?))
    })
    .await
}

async fn admission(client: &Client, id: &AgentId, wanted: Admission) -> Result<Agent> {
    let changes = UpdateAgent {
        admission: Some(wanted),
        ..UpdateAgent::default()
    };
    // Whatever else changed meanwhile: this is meant.
    Ok(client.update_agent(id, &changes, None).await?)
}

async fn delete(client: &Client, id: &AgentId, consent: Consent) -> Result<()> {
    // Also tells what is at stake, and whether there is such an agent.
    let agent = client.get_agent(id).await?;
    let deed = match agent.slots_in_use {
        0 => format!("delete agent `{id}`"),
        held => format!(
            "delete agent `{id}` and take back the {} it holds",
            counted(held.into(), "task")
        ),
    };
    if consent.to(&deed)? {
        client.delete_agent(id).await?;
        output::say(format_args!("deleted agent `{id}`"));
    }
    Ok(())
}
