//! What an instance says of itself while MongoDB or Redis is away.

use std::time::{Duration, Instant};

use mcpanel_test_servers::{Instance, Redis, ReplicaSet};
use serde_json::Value;

use super::Shared;

/// Longest wait for what happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `/health` is as wanted.
#[track_caller]
fn wait_for(instance: &Instance, wanted: impl Fn(u16, &Value) -> bool) {
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = instance.get("/health");
        if let Ok((status, body)) = &answer
            && let Ok(health) = serde_json::from_str(body)
            && wanted(*status, &health)
        {
            return;
        }
        assert!(Instant::now() < until, "it stays at {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn health_tells_degraded_from_unhealthy_and_why() {
    let Some(mut shared) = Shared::find(10) else {
        return;
    };
    let mut mongodb = ReplicaSet::start(1).unwrap();
    let mut redis = Redis::start().unwrap();
    (shared.mongodb, shared.redis) = (mongodb.uri(), redis.url());
    let instance = shared.start("looked at");
    wait_for(&instance, |status, health| {
        status == 200 && health["status"] == "healthy"
    });

    redis.process().kill().unwrap();
    wait_for(&instance, |status, health| {
        let redis = &health["checks"]["redis"];
        let message = redis["message"].as_str().unwrap_or_default();
        status == 200
            && health["status"] == "degraded"
            && redis["status"] == "degraded"
            && message.starts_with("Redis is away (")
    });
    redis.process().start_again().unwrap();
    wait_for(&instance, |status, health| {
        status == 200 && health["status"] == "healthy"
    });

    mongodb.node(0).kill().unwrap();
    wait_for(&instance, |status, health| {
        let database = &health["checks"]["database"];
        status == 503 && health["status"] == "unhealthy" && database["status"] == "unhealthy"
    });
    assert_eq!(instance.get("/health/live").unwrap().0, 200);
    mongodb.node(0).start_again().unwrap();
    wait_for(&instance, |status, health| {
        status == 200 && health["status"] == "healthy"
    });
}
