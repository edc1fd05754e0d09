//! `mcpanel serve`: a server that runs until it is told to stop.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use mcpanel_guard::{
    Secret,
    secrets::{ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE, Given, JWT_SECRET_VARIABLE},
};
use mcpanel_server::serve::{Settings, StartError, start};

use super::Interrupts;
use crate::{Failure, Result, arguments::DATA_DEFAULT, exit::Exit, output};

/// Start a server.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where everything is kept; made when it is missing.
    #[arg(long, env = "MCPANEL_DATA", value_name = "DIR", default_value = DATA_DEFAULT)]
    data: PathBuf,
    /// Where the API is served.
    #[arg(
        long,
        env = "MCPANEL_HTTP",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    http: SocketAddr,
    /// Kept for the realtime protocol. Live events are at `/api/v1/events/stream` of the API.
    #[arg(
        long,
        env = "MCPANEL_REALTIME",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8081"
    )]
    realtime: SocketAddr,
}

impl Serve {
    pub async fn execute(self) -> Result {
        let settings = Settings {
            data_dir: self.data.clone(),
            http: self.http,
            realtime: self.realtime,
            secrets: given_secrets(),
        };
        let key_is_given = settings.secrets.admin_key.is_some();
        let mut interrupts = Interrupts::listen();
        let running = start(settings)
            .await
            .map_err(|error| start_failed(&error))?;
        let address = running.http_addr();
        output::say(format_args!(
            "serving http://{address}, docs at http://{address}/docs"
        ));
        output::say(format_args!("data in {}", self.data.display()));
        if !key_is_given {
            let path = self.data.join(ADMIN_KEY_FILE);
            output::say(format_args!("administrator's key in {}", path.display()));
        }
        interrupts.next().await;
        output::say("stopping …");
        let stopped = tokio::select! {
            stopped = running.stop() => stopped,
            // The second time is meant: what is acknowledged is on the disk already.
            () = interrupts.next() => return Ok(Exit::Interrupted),
        };
        if stopped.cut_off > 0 {
            output::say("some connections had to be cut off");
        }
        output::say("stopped");
        Ok(Exit::Ok)
    }
}

/// The secrets that the environment gives.
pub fn given_secrets() -> Given {
    let secret = |name| {
        std::env::var(name)
            .ok()
            .map(|value| Secret::new(value.trim().to_owned()))
    };
    Given {
        admin_key: secret(ADMIN_KEY_VARIABLE),
        jwt: secret(JWT_SECRET_VARIABLE),
    }
}

/// Why a server does not start.
pub fn start_failed(error: &StartError) -> Failure {
    match error {
        // It says in its own words what the system means.
        StartError::Listen { .. } => Failure::new(error.to_string()),
        StartError::SameAddress { .. } => Failure::new(error.to_string()).exit(Exit::Usage),
        StartError::DataDir { .. } | StartError::Secrets(_) | StartError::Store(_) => {
            Failure::new(with_causes(error))
        }
    }
}

/// The message of an error with its causes, each said once.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(&format!(": {words}"));
        }
        cause = error.source();
    }
    text
}
