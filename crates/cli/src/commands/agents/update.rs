//! `mcpanel agents update`: what is known of an agent, changed by somebody else than the agent.

use clap::{ArgGroup, Args};
use mcpanel_api::{AgentId, Name, agent::UpdateAgent};
use mcpanel_client::Client;

use crate::{
    Result,
    commands::common::json,
    exit::Exit,
    output::{form::Form, listing},
};

/// What to change.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args([
    "name", "kind", "version", "capabilities", "concurrency", "endpoint_url", "no_endpoint_url", "health_check_url",
    "no_health_check_url", "metadata",
]))]
pub struct Update {
    /// Its id.
    agent_id: AgentId,
    /// A name for people.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Its kind.
    #[arg(long = "type", value_name = "KIND")]
    kind: Option<Name>,
    /// Its version.
    #[arg(long, value_name = "TEXT")]
    version: Option<String>,
    /// What it offers, in place of what it did; may be repeated, or given with commas.
    #[arg(long = "capability", value_name = "NAME", value_delimiter = ',')]
    capabilities: Vec<Name>,
    /// How many tasks it may hold at once.
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// Where it is.
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Forget where it is.
    #[arg(long, conflicts_with = "endpoint_url")]
    no_endpoint_url: bool,
    /// Where it tells how it is.
    #[arg(long, value_name = "URL")]
    health_check_url: Option<String>,
    /// Forget where it tells how it is.
    #[arg(long, conflicts_with = "health_check_url")]
    no_health_check_url: bool,
    /// What you want to keep with it, in place of what there is: a JSON object, or `@FILE` with one.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Only where the agent is still at this revision, as `get` shows it.
    #[arg(long, value_name = "N")]
    if_revision: Option<u64>,
}

impl Update {
    /// Changes it.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let (id, revision) = (self.agent_id.clone(), self.if_revision);
        let agent = client.update_agent(&id, &self.changes()?, revision).await?;
        listing::one(form, &agent)?;
        Ok(Exit::Ok)
    }

    fn changes(self) -> Result<UpdateAgent> {
        Ok(UpdateAgent {
            name: self.name,
            kind: self.kind,
            capabilities: (!self.capabilities.is_empty()).then_some(self.capabilities),
            concurrency: self.concurrency,
            version: self.version,
            endpoint_url: self
                .endpoint_url
                .map(Some)
                .or(json::or_none(self.no_endpoint_url)),
            health_check_url: self
                .health_check_url
                .map(Some)
                .or(json::or_none(self.no_health_check_url)),
            admission: None,
            metadata: self.metadata.as_deref().map(json::payload).transpose()?,
        })
    }
}
