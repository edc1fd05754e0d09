//! `mcpanel agents run`: the six built-in agents, working for a server.

use std::path::PathBuf;

use clap::Args;
use mcpanel_agents::{
    bias::service::ServiceUrl,
    runtime::{self, Options},
};
use mcpanel_client::Client;
use tokio::sync::watch;

use crate::{
    Failure, Result,
    commands::{Interrupts, auth::identity},
    exit::{Exit, with_causes},
    output,
};

/// How the built-in agents run.
#[derive(Debug, Args)]
pub struct Run {
    /// How many tasks each agent works on at once; as many as there are cores when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    concurrency: Option<u32>,
    /// Where files lie that live as long as a task; the system's folder for such files when left out.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// A service that measures bias in place of the built-in measures: asked at URL/analyze.
    #[arg(long, value_name = "URL", env = "FLASK_API_URL")]
    flask_api_url: Option<ServiceUrl>,
}

impl Run {
    /// Runs until Ctrl-C.
    pub async fn execute(self, client: &Client) -> Result {
        let mut interrupts = Interrupts::listen();
        let usual = Options::default();
        let options = Options {
            concurrency: self.concurrency.unwrap_or(usual.concurrency),
            scratch: self.scratch,
            bias_service: self.flask_api_url,
            ..usual
        };
        // Told apart from what agents have to say: that there is no server, or none that takes the credential.
        identity::ask(client, String::new()).await?;
        output::say(format_args!(
            "six agents work for `{}`; Ctrl-C ends them",
            client.base_url()
        ));
        until_told(client, options, &mut interrupts).await?;
        output::say("stopped");
        Ok(Exit::Ok)
    }
}

/// Runs the agents until Ctrl-C, then lets them give back what they hold.
pub async fn until_told(
    client: &Client,
    options: Options,
    interrupts: &mut Interrupts,
) -> Result<()> {
    let (stop, stopping) = watch::channel(false);
    let client = client.clone();
    let mut agents =
        tokio::spawn(async move { runtime::run_all(&client, &options, stopping).await });
    let ended = tokio::select! {
        ended = &mut agents => ended,
        () = interrupts.next() => {
            stop.send_replace(true);
            output::say("stopping: agents give back what they hold …");
            tokio::select! {
                ended = &mut agents => ended,
                // The second time is meant: leases run out by themselves.
                () = interrupts.next() => return Ok(()),
            }
        }
    };
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::new(with_causes(&error))),
        Err(error) => Err(Failure::new(format!("the agents broke: {error}"))),
    }
}
