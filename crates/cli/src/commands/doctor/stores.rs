//! MongoDB and Redis, where they are used: given right, reached, and set up as they must be.

use std::{net::ToSocketAddrs, time::Duration};

use tokio::{net::TcpStream, time::timeout};

use super::finding::Finding;
use crate::output::cell::harmless;

/// Where MongoDB is.
const MONGODB_URI: &str = "MONGODB_URI";

/// Where Redis is.
const REDIS_URL: &str = "REDIS_URL";

/// Sign of tokens of all instances.
const JWT_SECRET: &str = "JWT_SECRET";

/// How long a connection is waited for: what is nearer answers sooner, and what is farther is too far.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Looks at both, or at neither where none is given.
pub async fn look(findings: &mut Vec<Finding>) {
    let given = |name| {
        let value = std::env::var(name).ok();
        value.filter(|value| !value.trim().is_empty())
    };
    let (mongodb, redis) = (given(MONGODB_URI), given(REDIS_URL));
    if let Some(finding) = together(
        mongodb.is_some(),
        redis.is_some(),
        given(JWT_SECRET).is_some(),
    ) {
        findings.push(finding);
    }
    if let Some(uri) = mongodb {
        findings.push(reach("MongoDB", MONGODB_URI, &uri, 27_017).await);
    }
    if let Some(url) = redis {
        findings.push(reach("Redis", REDIS_URL, &url, 6_379).await);
    }
}

/// Whether what belongs together was given together.
fn together(mongodb: bool, redis: bool, jwt: bool) -> Option<Finding> {
    const CHECK: &str = "stores";
    match (mongodb, redis) {
        (false, false) => Some(Finding::ok(
            CHECK,
            "the server keeps everything itself (no MONGODB_URI, no REDIS_URL)",
        )),
        (true, true) if !jwt => Some(
            Finding::problem(
                CHECK,
                "several instances share MongoDB, and JWT_SECRET is not given",
            )
            .hint("give all of them the same output of `openssl rand -hex 32`"),
        ),
        (true, true) => None,
        (true, false) => Some(
            Finding::problem(CHECK, "MONGODB_URI is given without REDIS_URL")
                .hint("give both, or neither for a server that keeps everything itself"),
        ),
        (false, true) => Some(
            Finding::warning(CHECK, "REDIS_URL is given without MONGODB_URI")
                .hint("that is right for `serve --role realtime` alone; else give both"),
        ),
    }
}

/// Whether somebody answers at one of the addresses.
async fn reach(check: &'static str, variable: &str, url: &str, port: u16) -> Finding {
    let Some(hosts) = hosts(url, port) else {
        return Finding::problem(check, format!("{variable} is no address")).hint(format!(
            "write it like `{}://HOST:{port}`",
            check.to_lowercase()
        ));
    };
    let mut away = Vec::new();
    for host in &hosts {
        if let Err(why) = connect(host).await {
            away.push(format!("`{}` does not answer: {why}", harmless(host)));
        }
    }
    let what = away.join("\n");
    if away.is_empty() {
        Finding::ok(check, format!("{} answers", hosts.join(", ")))
    } else if away.len() < hosts.len() {
        Finding::warning(check, what).hint("the others answer; look at this one")
    } else {
        Finding::problem(check, what).hint(format!("start it, or set {variable} right"))
    }
}

async fn connect(host: &str) -> Result<(), String> {
    let named = host.to_owned();
    let found = tokio::task::spawn_blocking(move || named.to_socket_addrs());
    let addresses = timeout(CONNECT_MAX, found)
        .await
        .map_err(|_| "its name is not resolved in time".to_owned())?
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    let mut why = "its name has no address".to_owned();
    for address in addresses {
        match timeout(CONNECT_MAX, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => why = error.to_string(),
            Err(_) => why = "no connection in time".to_owned(),
        }
    }
    Err(why)
}

/// The `host:port` parts of an address, without the credentials in it. None for `mongodb+srv`, whose hosts only a
/// name server knows, and for what is no address.
fn hosts(url: &str, port: u16) -> Option<Vec<String>> {
    let (scheme, rest) = url.trim().split_once("://")?;
    if !matches!(scheme, "mongodb" | "redis" | "rediss" | "redis-cluster") {
        return None;
    }
    let authority = rest.split(['/', '?']).next()?;
    let hosts = authority.rsplit('@').next()?;
    let with_port = |host: &str| {
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(before, port)| !before.is_empty() && port.parse::<u16>().is_ok());
        match has_port && !host.ends_with(']') {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        }
    };
    let hosts: Vec<String> = hosts.split(',').map(with_port).collect();
    let is_whole = hosts.iter().all(|host| !host.starts_with(':'));
    is_whole.then_some(hosts)
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    #[test]
    fn hosts_are_found_without_credentials() {
        let found = |url| hosts(url, 1);
        assert_eq!(
            found("mongodb://u:p@a:27017,b/db?replicaSet=rs").unwrap(),
            ["a:27017", "b:1"]
        );
        assert_eq!(
            found("redis://:secret@[::1]:7000/0").unwrap(),
            ["[::1]:7000"]
        );
        assert_eq!(found("redis://[::1]").unwrap(), ["[::1]:1"]);
        for url in ["", "localhost:6379", "http://a", "redis://", "mongodb://u@"] {
            assert_eq!(found(url), None, "{url}");
        }
    }

    #[test]
    fn both_belong_together() {
        let verdict =
            |mongodb, redis, jwt| together(mongodb, redis, jwt).map(|finding| finding.verdict);
        assert_eq!(verdict(false, false, false), Some(Verdict::Ok));
        assert_eq!(verdict(true, false, true), Some(Verdict::Problem));
        assert_eq!(verdict(false, true, true), Some(Verdict::Warning));
        assert_eq!(verdict(true, true, false), Some(Verdict::Problem));
        assert_eq!(verdict(true, true, true), None);
    }

    #[tokio::test]
    async fn who_does_not_answer_is_named_and_no_password() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = |port| format!("redis://:hidden@127.0.0.1:{port}");
        let found = reach("Redis", REDIS_URL, &url(port), 6_379).await;
        assert_eq!(found.verdict, Verdict::Ok);
        drop(listener);
        let found = reach("Redis", REDIS_URL, &url(port), 6_379).await;
        assert_eq!(found.verdict, Verdict::Problem);
        assert!(!format!("{found:?}").contains("hidden"));
    }
}
