//! MongoDB and Redis, where they are used: given together, reached, and set up as they must be.

use mcpanel_store_mongo::survey::{self, Remark, Weight};

use super::finding::Finding;
use crate::addresses;

/// Where MongoDB is.
const MONGODB_URI: &str = "MONGODB_URI";

/// Where Redis is.
const REDIS_URL: &str = "REDIS_URL";

/// Signs the tokens of all instances.
const JWT_SECRET: &str = "JWT_SECRET";

/// Looks at both, or at neither where none is given.
pub async fn look(findings: &mut Vec<Finding>) {
    let mut given = |name| {
        let value = std::env::var(name).ok()?;
        match addresses::read(&value) {
            Ok(address) => Some(address).filter(|address| !address.is_empty()),
            Err(why) => {
                findings.push(Finding::problem(name, why));
                None
            }
        }
    };
    let (mongodb, redis) = (given(MONGODB_URI), given(REDIS_URL));
    let has_secret = std::env::var(JWT_SECRET).is_ok_and(|value| !value.trim().is_empty());
    findings.extend(together(mongodb.is_some(), redis.is_some(), has_secret));
    if let Some(uri) = mongodb {
        let remarks = survey::mongodb(&uri).await;
        findings.extend(remarks.into_iter().map(|remark| found("MongoDB", remark)));
    }
    if let Some(url) = redis {
        let remarks = survey::redis(&url).await;
        findings.extend(remarks.into_iter().map(|remark| found("Redis", remark)));
    }
}

fn found(check: &'static str, remark: Remark) -> Finding {
    let finding = match remark.weight {
        Weight::Good => Finding::ok(check, remark.text),
        Weight::Doubtful => Finding::warning(check, remark.text),
        Weight::Wrong => Finding::problem(check, remark.text),
    };
    Finding {
        hint: remark.remedy,
        ..finding
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

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

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
}
