//! Limits on calls, as callers meet them.

use std::time::{Duration, Instant};

use mcpanel_server::rates::RateLimits;
use mcpanel_store_mongo::rates::Rates;
use serde_json::json;

use crate::support::{Answer, TestServer};

/// Longest until a call is refused, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn told(answer: &Answer, name: &str) -> String {
    answer.headers[name].to_str().unwrap().to_owned()
}

/// Calls until one is refused: a token comes back each second, which is the time of a call on a busy machine.
async fn until_refused<F: Future<Output = Answer>>(call: impl Fn() -> F) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = call().await;
        if answer.status.as_u16() == 429 {
            return answer;
        }
        assert!(begun.elapsed() < LONG, "never refused");
    }
}

#[tokio::test]
async fn a_caller_that_calls_too_often_is_told_when_to_come_back() {
    let limits = "writes=1:2".parse().unwrap();
    let server = TestServer::limited(RateLimits::new(limits, Rates::alone())).await;
    let caller = server.key("default", &["task:create", "task:read"]).await;
    let create = || caller.post("/api/v1/tasks", json!({"task_type": "work"}));
    let first = create().await;
    first.ok(201);
    assert_eq!(told(&first, "ratelimit-policy"), "\"writes\";q=2;w=2");
    assert_eq!(told(&first, "ratelimit"), "\"writes\";r=1;t=1");
    let refused = until_refused(create).await;
    let problem = refused.refused(429, "rate_limited");
    assert!(problem.detail.contains("`writes`"), "{problem}");
    assert_eq!(told(&refused, "retry-after"), "1");
    assert_eq!(told(&refused, "ratelimit"), "\"writes\";r=0;t=2");
    // One that is let through meanwhile is another try.
    let begun = Instant::now();
    loop {
        let before = server.everything().await;
        let again = create().await;
        if again.status.as_u16() == 429 {
            assert_eq!(server.everything().await, before);
            break;
        }
        assert!(begun.elapsed() < LONG, "every other call is let through");
    }
    let read = caller.get("/api/v1/tasks").await;
    read.ok(200);
    assert!(told(&read, "ratelimit").starts_with("\"reads\""));
    let other = server.key("default", &["task:create"]).await;
    let others = other.post("/api/v1/tasks", json!({"task_type": "work"}));
    others.await.ok(201);
}

#[tokio::test]
async fn an_agent_is_limited_by_itself() {
    let limits = "work=1:2".parse().unwrap();
    let server = TestServer::limited(RateLimits::new(limits, Rates::alone())).await;
    let (one, other) = (
        server.agent("one", &["work"]).await,
        server.agent("other", &["work"]).await,
    );
    one.heartbeat(json!({})).await.ok(200);
    let refused = until_refused(|| one.heartbeat(json!({}))).await;
    refused.refused(429, "rate_limited");
    other.heartbeat(json!({})).await.ok(200);
}

#[tokio::test]
async fn a_server_that_runs_alone_limits_nobody() {
    let server = TestServer::new().await;
    let caller = server.key("default", &["task:read"]).await;
    let answer = caller.get("/api/v1/tasks").await;
    answer.ok(200);
    assert!(!answer.headers.contains_key("ratelimit"));
}
