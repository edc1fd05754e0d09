//! `mcpanel serve`: a server that runs until it is told to stop.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use mcpanel_guard::{
    Secret,
    secrets::{ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE, Given, JWT_SECRET_VARIABLE},
};
use mcpanel_server::{
    mount::BasePath,
    rates::Limits,
    serve::{Alone, Instance, Role, Settings, Shared, StartError, start},
};

use super::{Interrupts, common::listening};
use crate::{
    Failure, Result, addresses,
    arguments::DATA_DEFAULT,
    exit::{Exit, with_causes},
    output::{self, log::Lines},
};

/// How long a server may take to stop, in seconds. Supervisors commonly wait 30 s before they kill.
const DRAIN_SECONDS_DEFAULT: u64 = 10;

/// What it may be: an hour is more than anything takes.
pub const DRAIN_SECONDS: std::ops::RangeInclusive<u64> = 1..=3_600;

/// Start a server.
///
/// Alone it keeps everything in a folder. With MONGODB_URI and REDIS_URL it is one of any number of equal instances,
/// which share the work; all of them need the same JWT_SECRET.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where a server that runs alone keeps everything; made when it is missing.
    #[arg(long, env = "MCPANEL_DATA", value_name = "DIR", default_value = DATA_DEFAULT)]
    data: PathBuf,
    /// Where the API is served.
    #[arg(
        long,
        env = "MCPANEL_HTTP",
        value_name = "ADDRESS",
        value_parser = listening::parse,
        default_value = "127.0.0.1:8080"
    )]
    http: SocketAddr,
    /// Where sockets are served: Socket.IO, for pages and agents.
    #[arg(
        long,
        env = "MCPANEL_REALTIME",
        value_name = "ADDRESS",
        value_parser = listening::parse,
        default_value = "127.0.0.1:8081"
    )]
    realtime: SocketAddr,
    /// Origin whose pages may connect to sockets, such as `https://panel.example.org`; may be repeated. Without it none but
    /// those of its own address may.
    #[arg(
        long = "realtime-origin",
        env = "MCPANEL_REALTIME_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    origins: Vec<String>,
    /// MongoDB, which all instances share: `mongodb://…` of a replica set, or `@FILE` with it. One with a password comes
    /// from the environment or a file. Needs --redis-url.
    #[arg(long, env = "MONGODB_URI", value_name = "URI", hide_env_values = true, value_parser = addresses::read)]
    mongodb_uri: Option<String>,
    /// Redis, which all instances share: `redis://…`, `rediss://…`, `redis+cluster://a:1,b:2`, or `@FILE` with it. One
    /// with a password comes from the environment or a file. Needs --mongodb-uri.
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true, value_parser = addresses::read)]
    redis_url: Option<String>,
    /// A folder that all instances see, for the bytes of artifacts. Without it they are kept in MongoDB.
    #[arg(long, env = "MCPANEL_ARTIFACTS", value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// What this instance serves. `realtime` with REDIS_URL and without MONGODB_URI only shows events.
    #[arg(long, env = "MCPANEL_ROLE", value_enum, value_name = "ROLE", default_value_t = RoleName::All)]
    role: RoleName,
    /// How many calls callers may make: `off`, or the limits that are not as usual, such as `reads=200:2000,work=off` (200 a
    /// second, 2,000 at once). There are `reads`, `writes` and `work` for each caller and `namespace` for all of one. Without
    /// it a server that runs alone limits nobody.
    #[arg(long, env = "MCPANEL_RATE_LIMITS", value_name = "LIMITS")]
    rate_limits: Option<Limits>,
    /// Where this server stands, on every page of the dashboard, such as `production`, or with a colour `ward 7:red` (red,
    /// amber, green, blue, teal or grey).
    #[arg(long, env = "MCPANEL_ENVIRONMENT", value_name = "NAME")]
    environment: Option<String>,
    /// The path below which it is found where it shares a host with others, such as `/panel`. A proxy may hand requests on
    /// with it or without it.
    #[arg(long, env = "MCPANEL_BASE_PATH", value_name = "PATH")]
    base_path: Option<BasePath>,
    /// How long it may take to stop. Then what is still under way is cut off.
    #[arg(
        long,
        env = "MCPANEL_DRAIN_SECONDS",
        value_name = "SECONDS",
        default_value_t = DRAIN_SECONDS_DEFAULT,
        value_parser = clap::value_parser!(u64).range(DRAIN_SECONDS)
    )]
    drain_seconds: u64,
    /// How lines on stderr look: `text` for people, or `json`: one log entry each, with what happens as well as warnings.
    #[arg(long, env = "MCPANEL_LOG_FORMAT", value_enum, value_name = "FORMAT", default_value_t = Lines::Text)]
    log_format: Lines,
}

/// What an instance serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// The API.
    Api,
    /// The realtime protocol.
    Realtime,
    /// Both.
    All,
}

impl Serve {
    /// How lines on stderr look.
    pub fn lines(&self) -> Lines {
        self.log_format
    }

    pub async fn execute(self) -> Result {
        if let Some(alone) = self.sockets_alone() {
            return show_events(alone).await;
        }
        let settings = self.settings()?;
        let is_shared = settings.instance.shared.is_some();
        let key_is_given = settings.secrets.admin_key.is_some();
        let mut interrupts = Interrupts::listen();
        let running = start(settings)
            .await
            .map_err(|error| start_failed(&error))?;
        let address = running.http_addr();
        output::say(format_args!(
            "serving http://{address}, docs at http://{address}/docs"
        ));
        if let Some(address) = running.realtime_addr() {
            output::say(format_args!("sockets at http://{address}"));
        }
        match is_shared {
            true => output::say("data in MongoDB, shared with other instances"),
            false => output::say(format_args!("data in {}", self.data.display())),
        }
        if !key_is_given {
            let path = self.data.join(ADMIN_KEY_FILE);
            output::say(format_args!("administrator's key in {}", path.display()));
            if is_shared {
                output::say(format_args!(
                    "other instances do not know it; give all of them the same {ADMIN_KEY_VARIABLE}"
                ));
            }
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

/// Sockets that only show events, until it is told to stop.
async fn show_events(alone: Alone) -> Result {
    let mut interrupts = Interrupts::listen();
    let showing = alone.start().await.map_err(|error| start_failed(&error))?;
    output::say(format_args!("sockets at http://{}", showing.address()));
    output::say(
        "events from Redis alone: for people who watch; agents connect to an instance with the API",
    );
    interrupts.next().await;
    output::say("stopping …");
    showing.stop().await;
    output::say("stopped");
    Ok(Exit::Ok)
}

impl Serve {
    /// The realtime role with Redis and without MongoDB.
    fn sockets_alone(&self) -> Option<Alone> {
        let given = |text: &Option<String>| {
            text.as_deref()
                .map(str::trim)
                .unwrap_or_default()
                .to_owned()
        };
        let (mongodb, redis) = (given(&self.mongodb_uri), given(&self.redis_url));
        let is_alone = self.role == RoleName::Realtime && mongodb.is_empty() && !redis.is_empty();
        is_alone.then(|| Alone {
            address: self.realtime,
            origins: self.origins.clone(),
            redis_url: Secret::new(redis),
            jwt: given_secrets().jwt,
        })
    }

    fn settings(&self) -> Result<Settings> {
        Ok(Settings {
            data_dir: self.data.clone(),
            http: self.http,
            realtime: self.realtime,
            origins: self.origins.clone(),
            secrets: given_secrets(),
            instance: Instance {
                shared: self.shared()?,
                role: match self.role {
                    RoleName::Api => Role::Api,
                    RoleName::Realtime => Role::Realtime,
                    RoleName::All => Role::All,
                },
                drain: Duration::from_secs(self.drain_seconds),
                limits: self.rate_limits,
                environment: self.environment.clone(),
                base: self.base_path.clone(),
            },
        })
    }

    /// What it shares with others. A variable that is set and empty counts as not set: compose files often do that.
    fn shared(&self) -> Result<Option<Shared>> {
        let given = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim);
            text.filter(|text| !text.is_empty())
                .map(|text| Secret::new(text.to_owned()))
        };
        match (given(&self.mongodb_uri), given(&self.redis_url)) {
            (Some(mongodb_uri), Some(redis_url)) => Ok(Some(Shared {
                mongodb_uri,
                redis_url,
                artifacts: self.artifacts.clone(),
            })),
            (None, None) if self.artifacts.is_some() => Err(Failure::usage(
                "`--artifacts` is for instances that share MongoDB and Redis",
            )
            .hint("a server that runs alone keeps artifacts in its `--data` folder")),
            (None, None) => Ok(None),
            (Some(_), None) => Err(one_of_two("MONGODB_URI", "REDIS_URL")),
            (None, Some(_)) => Err(one_of_two("REDIS_URL", "MONGODB_URI")),
        }
    }
}

fn one_of_two(given: &str, missing: &str) -> Failure {
    Failure::usage(format!(
        "`{given}` is given without `{missing}`: instances share MongoDB and Redis"
    ))
    .hint(format!(
        "give `{missing}` too, or neither for a server that keeps everything in its `--data` folder"
    ))
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
        StartError::SameAddress { .. }
        | StartError::Alone
        | StartError::NoJwtSecret
        | StartError::Redis(_)
        | StartError::RedisCredentials(_)
        | StartError::ShortJwtSecret { .. } => Failure::new(error.to_string()).exit(Exit::Usage),
        StartError::DataDir { .. } => Failure::new(with_causes(error))
            .hint("name a folder that can be written with `--data` or MCPANEL_DATA"),
        StartError::Secrets(_)
        | StartError::MongoDb(_)
        | StartError::Artifacts(_)
        | StartError::Store(_) => Failure::new(with_causes(error)),
    }
}
