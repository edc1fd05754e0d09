//! `mcpanel dev`: a server and the six built-in agents in one process, to try things out.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use mcpanel_agents::{bias::service::ServiceUrl, runtime};
use mcpanel_server::serve::{Instance, Settings, start};

use super::{
    Interrupts,
    agents::builtin,
    common::listening,
    serve::{given_secrets, start_failed},
};
use crate::{Failure, Result, connect, exit::Exit, output};

/// Start a server with the six built-in agents, to try things out; Ctrl-C ends both.
#[derive(Debug, Args)]
pub struct Dev {
    /// Where everything is kept; a temporary folder, gone at the end, when left out.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the API is served.
    #[arg(long, value_name = "ADDRESS", value_parser = listening::parse, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Where the realtime protocol is served.
    #[arg(long, value_name = "ADDRESS", value_parser = listening::parse, default_value = "127.0.0.1:8081")]
    realtime: SocketAddr,
    /// Start no agents: yours sign on.
    #[arg(long)]
    no_agents: bool,
    /// A service that measures bias in place of the agents' built-in measures: asked at URL/analyze.
    #[arg(long, value_name = "URL", env = "FLASK_API_URL")]
    flask_api_url: Option<ServiceUrl>,
}

impl Dev {
    /// Runs until Ctrl-C.
    pub async fn execute(self) -> Result {
        let temporary = match &self.data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("mcpanel-dev-").tempdir()?),
        };
        let data_dir = match (&self.data, &temporary) {
            (Some(given), _) => given.clone(),
            (None, Some(made)) => made.path().to_owned(),
            (None, None) => return Err(Failure::new("there is no folder for the data")),
        };
        let settings = Settings {
            data_dir: data_dir.clone(),
            http: self.http,
            realtime: self.realtime,
            origins: Vec::new(),
            secrets: given_secrets(),
            instance: Instance::default(),
        };
        let mut interrupts = Interrupts::listen();
        let server = start(settings)
            .await
            .map_err(|error| start_failed(&error))?;
        let client = connect::ours(&server)?;
        let url = client.base_url();
        output::say(format_args!("serving {url}, docs at {url}/docs"));
        output::say("in another shell:");
        // The default address needs no word; the key is found beside the data.
        output::say(format_args!("  export MCPANEL_URL={url}"));
        output::say(format_args!(
            "  export MCPANEL_DATA={}",
            std::path::absolute(&data_dir)?.display()
        ));
        output::say("  mcpanel agents list");
        let ended = if self.no_agents {
            interrupts.next().await;
            Ok(())
        } else {
            output::say("six agents are signing on");
            let options = runtime::Options {
                bias_service: self.flask_api_url,
                ..runtime::Options::default()
            };
            builtin::until_told(&client, options, &mut interrupts).await
        };
        output::say("stopping …");
        tokio::select! {
            _ = server.stop() => {}
            // The second time is meant: what is acknowledged is on the disk already.
            () = interrupts.next() => return Ok(Exit::Interrupted),
        }
        ended?;
        output::say("stopped");
        Ok(Exit::Ok)
    }
}
