//! MongoDB and Redis, where they are used: given together, reached, and set up as they must be.

use mcpanel_server::serve::JWT_SECRET_BYTES_MIN;
use mcpanel_store_mongo::survey::{self, Remark, Weight};

use super::finding::Finding;
use crate::addresses;

/// Where MongoDB is.
const MONGODB_URI: &str = "MONGODB_URI";

/// Where Redis is.
const REDIS_URL: &str = "REDIS_URL";

/// Signs the tokens of all instances.
const JWT_SECRET: &str = "JWT_SECRET";

/// Which are given.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// MongoDB.
    pub mongodb: bool,
    /// Redis.
    pub redis: bool,
}

impl Given {
    /// Whether instances share them.
    pub fn are_both(self) -> bool {
        self.mongodb && self.redis
    }
}

/// Looks at both, or at neither where none is given; answers which are.
pub async fn look(findings: &mut Vec<Finding>) -> Given {
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
    let secret = std::env::var(JWT_SECRET).map_or(0, |value| value.trim().len());
    let both = Given {
        mongodb: mongodb.is_some(),
        redis: redis.is_some(),
    };
    findings.extend(together(both, secret));
    if let Some(uri) = mongodb {
        let remarks = survey::mongodb(&uri).await;
        findings.extend(remarks.into_iter().map(|remark| found("MongoDB", remark)));
    }
    if let Some(url) = redis {
        let remarks = survey::redis(&url).await;
        findings.extend(remarks.into_iter().map(|remark| found("Redis", remark)));
    }
    both
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

/// Whether what belongs together was given together; `secret_bytes` is how long the secret is that signs tokens.
fn together(given: Given, secret_bytes: usize) -> Option<Finding> {
    const CHECK: &str = "stores";
    match (given.mongodb, given.redis) {
        (false, false) => Some(Finding::ok(
            CHECK,
            "the server keeps everything itself (no MONGODB_URI, no REDIS_URL)",
        )),
        (true, true) if secret_bytes == 0 => Some(
            Finding::problem(
                CHECK,
                "several instances share MongoDB, and JWT_SECRET is not given",
            )
            .hint("give all of them the same output of `openssl rand -hex 32`"),
        ),
        (true, true) if secret_bytes < JWT_SECRET_BYTES_MIN => Some(
            Finding::problem(
                CHECK,
                format!("JWT_SECRET has {secret_bytes} bytes, and several instances need {JWT_SECRET_BYTES_MIN}"),
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
        let verdict = |mongodb, redis, secret_bytes| {
            together(Given { mongodb, redis }, secret_bytes).map(|finding| finding.verdict)
        };
        assert_eq!(verdict(false, false, 0), Some(Verdict::Ok));
        assert_eq!(verdict(true, false, 64), Some(Verdict::Problem));
        assert_eq!(verdict(false, true, 64), Some(Verdict::Warning));
        assert_eq!(verdict(true, true, 0), Some(Verdict::Problem));
        assert_eq!(verdict(true, true, 31), Some(Verdict::Problem));
        assert_eq!(verdict(true, true, 32), None);
    }
}
