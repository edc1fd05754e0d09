//! Redis that refuses an instance's credentials: it says so, and does not start.

use std::{path::Path, time::Duration};

use mcpanel_test_servers::{InstancePlan, Redis};

use super::{JWT_SECRET, Shared};

/// Longest wait for what takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an instance says that does not start.
#[track_caller]
fn refusal(plan: InstancePlan) -> String {
    let mut instance = plan.start().unwrap();
    let code = instance.process.wait(PATIENCE).unwrap();
    let log = instance.process.log_end();
    assert_eq!(code, Some(2), "{log}");
    log
}

#[test]
fn an_instance_that_redis_refuses_does_not_start() {
    let Some(mut shared) = Shared::find(8) else {
        return;
    };
    let redis = Redis::start().unwrap();
    redis
        .command(&["CONFIG", "SET", "requirepass", "right"])
        .unwrap();
    shared.redis = redis.url().replace("redis://", "redis://:wrong@");
    let whole = refusal(shared.plan("whole"));
    let binary = Path::new(env!("CARGO_BIN_EXE_mcpanel"));
    let mut alone = InstancePlan::new("sockets alone", binary)
        .with("REDIS_URL", redis.url())
        .with("JWT_SECRET", JWT_SECRET);
    alone.arguments = vec!["--role".into(), "realtime".into()];
    let alone = refusal(alone);
    for said in [whole, alone] {
        assert!(
            said.contains("refuses the credentials of `REDIS_URL`"),
            "{said}"
        );
        assert!(!said.contains("wrong"), "{said}");
    }
}
