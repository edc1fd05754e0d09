//! The six stages as agents of a server: each signs on like anybody else, and works on what it claims.
//!
//! A stage is synchronous and knows no network; here is what stands between. Inputs are downloaded when a stage opens
//! them, to files that live as long as the task. Outputs are written to such files and uploaded when they are
//! finished, so that an artifact is whole or not there. Memory stays flat whatever the size of the data.
//!
//! - [`inputs`]: which artifacts a task may read
//! - [`parameters`]: what a stage is told, from its template and from the run
//! - `job`, `outputs`: the bridge itself

pub mod inputs;
mod job;
mod outputs;
pub mod parameters;

use std::{num::NonZero, path::PathBuf, sync::Arc, thread, time::Duration};

use mcpanel_api::{AgentId, ErrorType, Name, Payload, agent::RegisterAgent};
use mcpanel_client::{
    Client,
    worker::{Assignment, End, Failure, Outcome, Worker},
};
use tokio::{runtime::Handle, sync::watch, task::JoinSet};

use crate::{
    bias::service::ServiceUrl,
    stage::{Stage, StageError},
    stages,
};
use job::RemoteJob;

/// How the agents run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many tasks each agent works on at once.
    pub concurrency: u32,
    /// Where files that live as long as a task are; the system's folder for such files when `None`.
    pub scratch: Option<PathBuf>,
    /// How long work in hand may go on after the shutdown.
    pub drain: Duration,
    /// The service that measures bias (`FLASK_API_URL`); the built-in measures when `None`. No task can name another:
    /// the agent calls no address that whoever runs it has not chosen.
    pub bias_service: Option<ServiceUrl>,
}

impl Default for Options {
    /// As many tasks at once as there are cores, and no draining: a stage begins again quickly.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            concurrency: u32::try_from(cores).unwrap_or(1),
            scratch: None,
            drain: Duration::ZERO,
            bias_service: None,
        }
    }
}

/// The id under which the agent of a stage signs on.
pub fn agent_id(task_type: &str) -> String {
    format!("builtin-{}", task_type.replace('_', "-"))
}

/// Runs the six agents until `shutdown` turns true. Fails when one of them cannot sign on or ends by itself,
/// and then ends the others.
pub async fn run_all(
    client: &Client,
    options: &Options,
    shutdown: watch::Receiver<bool>,
) -> Result<(), Error> {
    let mut agents = JoinSet::new();
    for stage in stages::all_with(options.bias_service.clone()) {
        let task_type = stage.task_type();
        let worker = worker(client, stage, options)?;
        let mut shutdown = shutdown.clone();
        agents.spawn(async move {
            let told = async move {
                // A sender that is gone tells nobody to go on.
                let _ = shutdown.wait_for(|stop| *stop).await;
            };
            (task_type, worker.run(told).await)
        });
    }
    while let Some(joined) = agents.join_next().await {
        let (task_type, ended) = joined.map_err(|error| Error::Panicked(error.to_string()))?;
        let agent = agent_id(task_type);
        match ended {
            Ok(End::Stopped) => {}
            Ok(End::Superseded) => return Err(Error::Superseded { agent }),
            Ok(End::SignedOff) => return Err(Error::SignedOff { agent }),
            Ok(End::Refused { why }) => return Err(Error::Refused { agent, why }),
            Err(source) => return Err(Error::Client { agent, source }),
        }
    }
    Ok(())
}

/// Why the built-in agents ended before they were told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be spoken to.
    #[error("agent `{agent}` cannot sign on")]
    Client {
        /// Which agent.
        agent: String,
        /// Why.
        source: mcpanel_client::Error,
    },
    /// Another program took the id.
    #[error(
        "another program signed on as agent `{agent}`; run the built-in agents once per server"
    )]
    Superseded {
        /// Which agent.
        agent: String,
    },
    /// The server has no such agent any more.
    #[error(
        "the server does not know agent `{agent}` any more: somebody signed it off, or the server has other data now"
    )]
    SignedOff {
        /// Which agent.
        agent: String,
    },
    /// The server takes its token no more.
    #[error(
        "the server refuses the token it gave agent `{agent}`: {why}; it may have other secrets now, start the agents anew"
    )]
    Refused {
        /// Which agent.
        agent: String,
        /// What the server says.
        why: String,
    },
    /// An agent's own code failed.
    #[error("an agent ended by a panic: {0}")]
    Panicked(String),
}

fn worker(client: &Client, stage: Box<dyn Stage>, options: &Options) -> Result<Worker, Error> {
    let stage: Arc<dyn Stage> = Arc::from(stage);
    let task_type = stage.task_type();
    let agent = agent_id(task_type);
    let named = |text: &str| {
        Name::parse(text).map_err(|error| Error::Client {
            agent: agent.clone(),
            source: mcpanel_client::Error::Config(format!("`{text}` {error}")),
        })
    };
    let registration = RegisterAgent {
        agent_id: AgentId::parse(&agent).ok(),
        name: format!("Built-in {}", task_type.replace('_', " ")),
        kind: named(&task_type.replace('_', "-"))?,
        capabilities: vec![named(task_type)?],
        concurrency: Some(options.concurrency.max(1)),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        endpoint_url: None,
        health_check_url: None,
        metadata: None,
    };
    let scratch = options.scratch.clone();
    let handler = move |assignment: &Assignment| perform(&stage, assignment, scratch.as_deref());
    Ok(Worker::new(client.clone(), registration)
        .on_blocking(named(task_type)?, handler)
        .drain(options.drain)
        .sign_off())
}

/// Runs a stage over a task in hand. Blocks.
fn perform(
    stage: &Arc<dyn Stage>,
    assignment: &Assignment,
    scratch: Option<&std::path::Path>,
) -> Outcome {
    let prepared = Handle::current().block_on(job::prepare(assignment));
    let (inputs, parameters) = prepared?;
    let job = RemoteJob::new(assignment.clone(), inputs, parameters, scratch)
        .map_err(|error| Failure::new(ErrorType::System, format!("cannot begin: {error}")))?;
    let summary = stage.run(&job).map_err(|error| failure(&error))?;
    Payload::of(&summary).map_err(|error| {
        Failure::new(
            ErrorType::System,
            format!("cannot write the result: {error}"),
        )
    })
}

fn failure(error: &StageError) -> Failure {
    let details = serde_json::json!({ "code": error.code() });
    Failure {
        kind: error.error_type().into(),
        message: error.chain(),
        details: Payload::of(&details).ok(),
    }
}
