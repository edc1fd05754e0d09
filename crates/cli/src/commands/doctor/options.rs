//! What a server or agents on this machine would be started with: role, limits, origins, artifacts, a bias service.
//!
//! The options are those of `mcpanel serve`, taken as text: what `serve` would refuse is told here, with the rest.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use mcpanel_agents::bias::service::ServiceUrl;
use mcpanel_client::{Client, Config, Credential, Error};
use mcpanel_guard::secrets::is_public;
use mcpanel_server::{rates::Limits, serve::Environment};

use super::{Doctor, finding::Finding, folders, stores::Given};
use crate::{
    Failure,
    commands::serve::{DRAIN_SECONDS, RoleName},
    connect,
};

/// How long the bias service is waited for.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What `serve` and `agents run` would be given.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// What a server on this machine serves: `api`, `realtime` or `all`.
    #[arg(long, env = "MCPANEL_ROLE", value_name = "ROLE")]
    role: Option<String>,
    /// Its limits on calls.
    #[arg(long, env = "MCPANEL_RATE_LIMITS", value_name = "LIMITS")]
    rate_limits: Option<String>,
    /// Origin whose pages may connect to its sockets; may be repeated.
    #[arg(
        long = "realtime-origin",
        env = "MCPANEL_REALTIME_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    origins: Vec<String>,
    /// How many seconds it may take to stop.
    #[arg(long, env = "MCPANEL_DRAIN_SECONDS", value_name = "SECONDS")]
    drain_seconds: Option<String>,
    /// Where it stands, as pages of the dashboard show it.
    #[arg(long, env = "MCPANEL_ENVIRONMENT", value_name = "NAME")]
    environment: Option<String>,
    /// Its folder for the bytes of artifacts, where it shares MongoDB with others.
    #[arg(long, env = "MCPANEL_ARTIFACTS", value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// A service that measures bias, for agents on this machine.
    #[arg(long, env = "FLASK_API_URL", value_name = "URL")]
    flask_api_url: Option<String>,
}

/// Looks at them, knowing which stores are given.
pub async fn look(doctor: &Doctor, stores: Given, findings: &mut Vec<Finding>) {
    let options = &doctor.options;
    let is_public = is_public(doctor.http.ip());
    findings.push(role(options.role.as_deref(), stores));
    findings.push(rate_limits(
        options.rate_limits.as_deref(),
        stores.are_both(),
        is_public,
    ));
    findings.extend(origins(&options.origins));
    findings.extend(options.drain_seconds.as_deref().map(drain));
    findings.extend(options.environment.as_deref().map(environment));
    findings.extend(artifacts(options.artifacts.as_deref(), doctor, stores));
    if let Some(url) = &options.flask_api_url {
        findings.push(bias_service(url).await);
    }
}

fn role(given: Option<&str>, stores: Given) -> Finding {
    const CHECK: &str = "role";
    let role = match RoleName::from_str(given.unwrap_or("all").trim(), false) {
        Ok(role) => role,
        Err(_) => {
            let given = given.unwrap_or_default();
            return Finding::problem(CHECK, format!("there is no role `{given}`"))
                .hint("`--role` or MCPANEL_ROLE is `api`, `realtime` or `all`");
        }
    };
    match (role, stores.are_both()) {
        (RoleName::All, _) => Finding::ok(CHECK, "it serves the API and sockets"),
        (RoleName::Api, true) => Finding::ok(
            CHECK,
            "it serves the API; sockets need another instance with the role `realtime` or `all`",
        ),
        (RoleName::Realtime, true) => Finding::ok(
            CHECK,
            "it serves sockets; the API needs another instance with the role `api` or `all`",
        ),
        (RoleName::Realtime, false) if stores.redis && !stores.mongodb => Finding::ok(
            CHECK,
            "it shows what happens, from Redis alone; the API needs another instance",
        ),
        (RoleName::Api | RoleName::Realtime, false) => Finding::problem(
            CHECK,
            "a server that runs alone does everything, and it is told to do a part",
        )
        .hint("unset MCPANEL_ROLE, or give MONGODB_URI and REDIS_URL"),
    }
}

fn rate_limits(given: Option<&str>, are_shared: bool, is_public: bool) -> Finding {
    const CHECK: &str = "rate limits";
    const WILD: &str = "nobody is limited, so that one caller that runs wild can take everything";
    const NAME_THEM: &str = "name some with `--rate-limits` or MCPANEL_RATE_LIMITS, such as `reads=200:2000`; the others are as usual";
    let limits = match given.map(str::parse::<Limits>) {
        Some(Err(error)) => {
            return Finding::problem(CHECK, error.to_string())
                .hint("mend `--rate-limits` or MCPANEL_RATE_LIMITS; `off` takes all away");
        }
        Some(Ok(limits)) => limits,
        None if are_shared => Limits::default(),
        None => Limits::OFF,
    };
    match limits.are_off() {
        true if are_shared || is_public => Finding::warning(CHECK, WILD).hint(NAME_THEM),
        true => Finding::ok(
            CHECK,
            "nobody is limited, which is well where only this machine calls",
        ),
        false => Finding::ok(CHECK, format!("calls a second and at once: {limits}")),
    }
}

fn drain(given: &str) -> Finding {
    const CHECK: &str = "drain";
    match given.trim().parse::<u64>() {
        Ok(seconds) if DRAIN_SECONDS.contains(&seconds) => Finding::ok(
            CHECK,
            format!(
                "it stops within {seconds} s; a supervisor should wait five more before it kills"
            ),
        ),
        _ => Finding::problem(
            CHECK,
            format!("`{given}` is no number of seconds to stop within"),
        )
        .hint(format!(
            "give `--drain-seconds` or MCPANEL_DRAIN_SECONDS a whole number from {} to {}",
            DRAIN_SECONDS.start(),
            DRAIN_SECONDS.end()
        )),
    }
}

fn environment(given: &str) -> Finding {
    const CHECK: &str = "environment";
    match Environment::parse(given) {
        Some(environment) => Finding::ok(
            CHECK,
            format!("every page says that it is `{}`", environment.name()),
        ),
        None => Finding::warning(
            CHECK,
            "it has a colour and no name, so that no page shows it",
        )
        .hint("write MCPANEL_ENVIRONMENT as `production` or `ward 7:red`"),
    }
}

fn origins(given: &[String]) -> Vec<Finding> {
    const CHECK: &str = "origins";
    let given: Vec<&str> = given.iter().map(|origin| origin.trim()).collect();
    let given: Vec<&str> = given.into_iter().filter(|text| !text.is_empty()).collect();
    let wrong: Vec<Finding> = given
        .iter()
        .filter_map(|origin| {
            let why = origin_fault(origin)?;
            Some(
                Finding::problem(CHECK, format!("`{origin}` lets nobody connect: {why}"))
                    .hint("write each as a browser does, such as `https://panel.example.org`"),
            )
        })
        .collect();
    if !wrong.is_empty() {
        return wrong;
    }
    let open = given
        .iter()
        .find(|origin| origin.starts_with("http:") && !connect::is_here(origin));
    vec![match (open, given.as_slice()) {
        (_, []) => Finding::ok(
            CHECK,
            "pages of the server's own address alone may connect to sockets",
        ),
        (Some(open), _) => Finding::warning(
            CHECK,
            format!("pages of `{open}` may connect, which come without encryption"),
        )
        .hint("let a proxy before that site end TLS, and allow its `https://` origin"),
        (None, given) => Finding::ok(
            CHECK,
            format!("pages of {} may connect to sockets", given.join(", ")),
        ),
    }]
}

/// Why no browser ever names this origin; none when one may.
fn origin_fault(origin: &str) -> Option<&'static str> {
    let (scheme, place) = match origin.trim_end_matches('/').split_once("://") {
        Some(parts) => parts,
        None => return Some("it does not begin with `http://` or `https://`"),
    };
    let is = |word: &str| scheme.eq_ignore_ascii_case(word);
    if !is("http") && !is("https") {
        return Some("it does not begin with `http://` or `https://`");
    }
    if place.contains('*') {
        return Some("origins are named one by one, not by a pattern");
    }
    if place.is_empty() || place.contains(['/', '?', '#', '@', ' ']) {
        return Some("it is a scheme, a host and a port, and nothing else");
    }
    let usual = if is("http") { ":80" } else { ":443" };
    place
        .ends_with(usual)
        .then_some("browsers leave out the usual port")
}

fn artifacts(given: Option<&std::path::Path>, doctor: &Doctor, stores: Given) -> Option<Finding> {
    const CHECK: &str = "artifacts";
    let given = given.filter(|path| !path.as_os_str().is_empty());
    match (given, stores.are_both()) {
        (Some(_), false) => Some(
            Finding::problem(
                CHECK,
                "a folder is named for instances that share MongoDB and Redis, and none is shared",
            )
            .hint(
                "unset MCPANEL_ARTIFACTS: a server that runs alone keeps them in its data folder",
            ),
        ),
        (Some(folder), true) => Some(folders::artifacts(folder)),
        (None, true) => Some(Finding::ok(CHECK, "their bytes are kept in MongoDB")),
        // Of a server that only shows events, or whose stores were told to be wrong.
        (None, false) if stores.mongodb || stores.redis => None,
        (None, false) => {
            let within = doctor.data.join(mcpanel_server::serve::ARTIFACTS_FOLDER);
            // Until the first start there is nothing to see beside the data folder itself.
            within.exists().then(|| folders::artifacts(&within))
        }
    }
}

async fn bias_service(given: &str) -> Finding {
    const CHECK: &str = "bias service";
    let url = match ServiceUrl::parse(given) {
        Ok(url) => url.to_string(),
        Err(error) => {
            return Finding::problem(CHECK, format!("FLASK_API_URL is wrong: {error}"))
                .hint("mend it, or unset it for the built-in measures");
        }
    };
    let config = Config {
        answer_timeout: ANSWER_MAX,
        patience: Duration::ZERO,
        ..Config::new(&url, Credential::None)
    };
    let client = match Client::new(config) {
        Ok(client) => client,
        Err(error) => return Finding::failure(CHECK, &Failure::from(error)),
    };
    match client.health_live().await {
        Ok(_) => Finding::problem(
            CHECK,
            format!("an mcpanel server answers at `{url}`, which measures no bias"),
        )
        .hint("name the service in FLASK_API_URL, or unset it for the built-in measures"),
        Err(Error::Unreachable { .. } | Error::Timeout { .. }) => {
            Finding::problem(CHECK, format!("nothing answers at `{url}`"))
                .hint("start the service, or unset FLASK_API_URL for the built-in measures")
        }
        Err(error @ Error::Tls { .. }) => Finding::failure(CHECK, &Failure::from(error)),
        // It has no such page and need not; that it answers is enough.
        Err(_) if url.starts_with("http:") && !connect::is_here(&url) => Finding::warning(
            CHECK,
            format!("something answers at `{url}`; records travel there without encryption"),
        )
        .hint("let a proxy before it end TLS, and use its `https://` address"),
        Err(_) => Finding::ok(CHECK, format!("something answers at `{url}`")),
    }
}

#[cfg(test)]
mod tests;
