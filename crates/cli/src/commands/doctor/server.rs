//! The server that commands speak to, and the credential for it.

use std::time::Duration;

use mcpanel_api::{
    Timestamp,
    health::{Health, HealthCheck, HealthStatus},
};
use mcpanel_client::{Client, Config, Credential, Error, Trust};

use super::finding::Finding;
use crate::{
    Failure,
    arguments::Global,
    commands::auth::identity::{self, Identity},
    connect::{self, Place, Source},
    exit::Exit,
    output::{
        cell::{age, now},
        durations,
        listing::word,
        numbers::counted,
    },
};

/// How far two clocks may differ, in milliseconds, before tokens are refused: what the server itself allows.
const CLOCKS_APART_MS_MAX: u64 = 5_000;

/// How soon the end of a token is worth a word, in milliseconds: ten minutes.
const ENDS_SOON_MS: u64 = 600_000;

/// How long an answer is waited for: somebody waits for all of them.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Looks at the server, and at the credential for it.
pub async fn look(global: &Global, findings: &mut Vec<Finding>) {
    let place = match connect::place(global) {
        Ok(place) => place,
        Err(failure) => return findings.push(Finding::failure("server", &failure)),
    };
    let config = Config {
        answer_timeout: ANSWER_MAX,
        patience: Duration::ZERO,
        ..place.config()
    };
    let client = match Client::new(config) {
        Ok(client) => client,
        Err(error) => {
            return findings.push(Finding::failure("server", &Failure::from(error)));
        }
    };
    findings.extend(encryption(&place));
    if let Err(error) = client.health_live().await {
        findings.push(unreachable(&place, error));
        return findings.push(Finding::skipped("credential", "there is no server to ask"));
    }
    match identity::ask(&client, place.credential_from.to_string()).await {
        Ok(identity) => {
            health(&client, &place, findings).await;
            findings.push(credential(&identity, now()));
        }
        Err(failure) => {
            let found = format!("a server answers at `{}`", place.url);
            findings.push(Finding::ok("server", found));
            findings.push(refused(&place, &failure));
        }
    }
}

/// How words travel to a server on another machine; nothing to say about this one.
fn encryption(place: &Place) -> Option<Finding> {
    const CHECK: &str = "encryption";
    if connect::is_here(&place.url) {
        return None;
    }
    let is_encrypted = place.url.starts_with("https:");
    let trusted = match &place.transport.trust {
        Trust::System => "the authorities of this system are trusted".to_owned(),
        Trust::Authorities { file, .. } => {
            format!("the authorities in `{}` alone are trusted", file.display())
        }
    };
    Some(match is_encrypted {
        true => Finding::ok(CHECK, format!("`{}` is encrypted; {trusted}", place.url)),
        false => Finding::warning(
            CHECK,
            format!("`{}` is another machine, and not encrypted", place.url),
        )
        .hint("let a proxy before it end TLS, and use its `https://` address"),
    })
}

fn unreachable(place: &Place, error: Error) -> Finding {
    let failure = Failure::from(error);
    let what = format!("{} (its address: {})", failure.what, place.url_from);
    let found = match place.url_from {
        // Nobody said that there is one.
        Source::Default => Finding::warning("server", what),
        _ => Finding::problem("server", what),
    };
    found.hint(
        failure
            .hint
            .unwrap_or_else(|| "start it with `mcpanel serve`, or name another".to_owned()),
    )
}

async fn health(client: &Client, place: &Place, findings: &mut Vec<Finding>) {
    match client.health().await {
        Ok(health) => {
            findings.push(version(&health, &place.url));
            findings.extend(parts(&health));
            findings.push(clocks(health.timestamp, now()));
        }
        Err(Error::Problem { problem, .. }) if problem.status == 403 => {
            let what = format!(
                "a server answers at `{}`; this credential may not ask how it is",
                place.url
            );
            findings.push(Finding::ok("server", what));
        }
        Err(error) => findings.push(Finding::failure("server", &Failure::from(error))),
    }
}

fn version(health: &HealthCheck, url: &str) -> Finding {
    let (theirs, ours) = (&health.version, env!("CARGO_PKG_VERSION"));
    let status = word(health.status);
    let what = format!("mcpanel {theirs} at `{url}` is {status}");
    if theirs != ours {
        return Finding::warning("server", format!("{what}, and this program is {ours}"))
            .hint("use the same version on both sides where something is odd");
    }
    Finding::ok("server", what)
}

fn parts(health: &HealthCheck) -> Vec<Finding> {
    let checks = &health.checks;
    let parts: [(&'static str, &HealthStatus); 4] = [
        ("its database", &checks.database),
        ("its Redis", &checks.redis),
        ("its services", &checks.external_services),
        ("its resources", &checks.system_resources),
    ];
    parts
        .into_iter()
        .filter_map(|(check, part)| {
            let what = part.message.clone();
            let what = what.unwrap_or_else(|| word(part.status));
            match part.status {
                Health::Healthy | Health::NotConfigured => None,
                Health::Degraded => Some(Finding::warning(check, what)),
                Health::Unhealthy => Some(Finding::problem(check, what)),
            }
        })
        .map(|finding| finding.hint("the server's log and `mcpanel health -o wide` say more"))
        .collect()
}

fn clocks(theirs: Timestamp, ours: Timestamp) -> Finding {
    let apart = theirs.ms_since(ours).max(ours.ms_since(theirs));
    let shown = durations::show(Duration::from_millis(apart));
    if apart > CLOCKS_APART_MS_MAX {
        return Finding::warning(
            "clocks",
            format!("this machine's and the server's are {shown} apart"),
        )
        .hint("set both by NTP; ages and timeouts are read wrong until then");
    }
    Finding::ok(
        "clocks",
        format!("this machine's and the server's are {shown} apart"),
    )
}

fn credential(identity: &Identity, now: Timestamp) -> Finding {
    let what = format!(
        "{} in namespace `{}` with {} (from {})",
        identity.who,
        identity.namespace,
        counted(identity.permissions.len() as u64, "permission"),
        identity.found_in
    );
    match identity.expires_at {
        Some(end) if end.ms_since(now) < ENDS_SOON_MS => Finding::warning(
            "credential",
            format!("{what}; it expires {}", age(end, now)),
        )
        .hint("buy another with `mcpanel auth token`"),
        _ => Finding::ok("credential", what),
    }
}

fn refused(place: &Place, failure: &Failure) -> Finding {
    if failure.exit != Exit::Denied {
        return Finding::failure("credential", failure);
    }
    if place.credential == Credential::None {
        return Finding::warning("credential", "there is none, so commands will be refused").hint(
            "`mcpanel auth login` keeps one; or set MCPANEL_API_KEY, or give `--token-file`",
        );
    }
    let what = format!("{} (from {})", failure.what, place.credential_from);
    Finding::problem("credential", what)
        .hint("it may have been revoked or have expired, or be another server's")
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    fn identity(expires_at: Option<Timestamp>) -> Identity {
        Identity {
            who: "key:key_1".to_owned(),
            namespace: "default".to_owned(),
            permissions: vec!["task:read".to_owned()],
            credential: "token",
            expires_at,
            url: "http://127.0.0.1:1".to_owned(),
            found_in: "variable MCPANEL_TOKEN".to_owned(),
        }
    }

    #[test]
    fn clocks_may_differ_a_little() {
        let now = Timestamp::from_ms(1_000_000);
        assert_eq!(clocks(now.plus_ms(4_999), now).verdict, Verdict::Ok);
        assert_eq!(clocks(now.plus_ms(5_001), now).verdict, Verdict::Warning);
        assert_eq!(clocks(now.minus_ms(5_001), now).verdict, Verdict::Warning);
    }

    #[test]
    fn words_to_another_machine_should_be_encrypted() {
        let verdict = |url: &str| {
            let place = Place {
                url: url.to_owned(),
                url_from: Source::Default,
                credential: Credential::None,
                credential_from: Source::Default,
                transport: Default::default(),
                namespace: None,
            };
            encryption(&place).map(|finding| finding.verdict)
        };
        assert_eq!(verdict("http://127.0.0.1:8080"), None);
        assert_eq!(verdict("https://panel.example.org"), Some(Verdict::Ok));
        assert_eq!(verdict("http://10.0.0.7:8080"), Some(Verdict::Warning));
    }

    #[test]
    fn a_token_that_ends_soon_is_told() {
        let now = Timestamp::from_ms(1_000_000);
        let verdict = |end: Option<u64>| {
            let end = end.map(|ms| now.plus_ms(ms));
            credential(&identity(end), now).verdict
        };
        assert_eq!(verdict(None), Verdict::Ok);
        assert_eq!(verdict(Some(3_600_000)), Verdict::Ok);
        assert_eq!(verdict(Some(60_000)), Verdict::Warning);
    }
}
