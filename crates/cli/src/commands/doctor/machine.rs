//! What a server on this machine needs: a clock, secrets, addresses.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use mcpanel_api::Timestamp;
use mcpanel_client::{Client, Config, Credential, Error};
use mcpanel_guard::{
    Secret,
    secrets::{
        ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE, JWT_SECRET_FILE, JWT_SECRET_VARIABLE, is_public,
    },
};

use super::{
    Doctor,
    finding::Finding,
    folders::{self, exposed},
};
use crate::output::cell::now;

/// The earliest moment a clock can show that is right, 2026-01-01, in milliseconds: this program is younger.
const CLOCK_MIN_MS: i64 = 1_767_225_600_000;

/// How the types of our problems begin.
const PROBLEMS: &str = "https://mcpanel.dev/errors/";

/// How long an answer on an address of this machine is waited for.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Looks at this machine.
pub async fn look(doctor: &Doctor, findings: &mut Vec<Finding>) {
    findings.push(clock(now()));
    findings.push(folders::data(&doctor.data));
    findings.push(folders::free_space(&doctor.data));
    let is_public = is_public(doctor.http.ip());
    for (check, file, variable) in [
        ("admin key", ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE),
        ("JWT secret", JWT_SECRET_FILE, JWT_SECRET_VARIABLE),
    ] {
        let given = std::env::var(variable).ok().map(Secret::new);
        let path = doctor.data.join(file);
        findings.push(secret(check, variable, given, &path, is_public));
    }
    findings.push(address("HTTP address", doctor.http).await);
    findings.push(
        match doctor.realtime == doctor.http && doctor.http.port() != 0 {
            true => Finding::problem("realtime", "its address is that of the API")
                .hint("give them different ports with `--http` and `--realtime`"),
            false => address("realtime", doctor.realtime).await,
        },
    );
}

fn clock(now: Timestamp) -> Finding {
    if now < Timestamp::from_ms(CLOCK_MIN_MS) {
        return Finding::problem("clock", format!("it shows {now}, which is long gone"))
            .hint("set it, for example with `timedatectl set-ntp true`");
    }
    Finding::ok("clock", format!("it shows {now}"))
}

fn secret(
    check: &'static str,
    variable: &str,
    given: Option<Secret>,
    path: &Path,
    is_public: bool,
) -> Finding {
    let shown = path.display();
    let (secret, place) = match given {
        Some(given) if !given.reveal().trim().is_empty() => (given, variable.to_owned()),
        Some(_) if is_public => {
            return Finding::problem(check, format!("{variable} is set and empty")).hint(
                "give it the output of `openssl rand -hex 32`, or unset it to have one made",
            );
        }
        Some(_) | None => match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Finding::ok(check, format!("`{shown}` is made by the first start"));
            }
            Err(error) => {
                return Finding::problem(check, format!("cannot look at `{shown}`: {error}"));
            }
            Ok(about) => {
                if let Some(mode) = exposed(&about) {
                    return Finding::problem(
                        check,
                        format!("others on this machine can read `{shown}` (mode {mode:o})"),
                    )
                    .hint(format!(
                        "run `chmod 600 {shown}`, and make another if somebody may have read it"
                    ));
                }
                match fs::read_to_string(path) {
                    Ok(text) => (Secret::new(text.trim()), format!("`{shown}`")),
                    Err(error) => {
                        return Finding::problem(check, format!("cannot read `{shown}`: {error}"))
                            .hint("run this as the user that runs the server");
                    }
                }
            }
        },
    };
    match secret.weakness() {
        None => Finding::ok(check, format!("{place} is strong")),
        Some(weakness) => {
            let what = format!("{place} is weak: {weakness}");
            let found = match is_public {
                true => Finding::problem(check, what),
                false => Finding::warning(check, what),
            };
            found.hint("take the output of `openssl rand -hex 32`")
        }
    }
}

async fn address(check: &'static str, address: SocketAddr) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(check, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if answers(address).await {
                Finding::ok(check, format!("an mcpanel server answers at {address}"))
            } else {
                Finding::problem(check, format!("another program listens at {address}")).hint(
                    format!(
                        "stop it (`ss -ltnp | grep :{}` names it), or take another address",
                        address.port()
                    ),
                )
            }
        }
        Err(error) => Finding::problem(check, format!("cannot listen at {address}: {error}"))
            .hint("name an address of this machine; ports below 1024 need a privilege"),
    }
}

/// Whether a server of ours listens there: the API's, or that of sockets, which has no such path and says so as we do.
async fn answers(address: SocketAddr) -> bool {
    let mut to = address;
    if to.ip().is_unspecified() {
        to.set_ip(match to.ip() {
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let config = Config {
        answer_timeout: ANSWER_MAX,
        patience: Duration::ZERO,
        ..Config::new(format!("http://{to}"), Credential::None)
    };
    match Client::new(config) {
        Ok(client) => match client.health_live().await {
            Ok(_) => true,
            Err(Error::Problem { problem, .. }) => problem.kind.starts_with(PROBLEMS),
            Err(_) => false,
        },
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
