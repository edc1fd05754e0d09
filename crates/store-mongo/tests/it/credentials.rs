//! Redis that does not let us in: said at the start, and told as the reason when it happens later.

use std::{sync::Arc, time::Duration};

use mcpanel_domain::Timestamp;
use mcpanel_store_mongo::{
    Shared, SharedSettings,
    link::{Address, Refused, admission},
};
use mcpanel_test_servers::Redis;

/// Longest wait for what happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis with a user of each sort; none where tests have no servers.
fn redis() -> Option<Redis> {
    crate::servers::given(mcpanel_test_servers::REDIS_URL)?;
    let redis = Redis::start().unwrap();
    let all = [
        "ACL", "SETUSER", "panel", "on", ">right", "~*", "&*", "+@all",
    ];
    redis.command(&all).unwrap();
    let narrow = ["ACL", "SETUSER", "narrow", "on", ">right", "+get"];
    redis.command(&narrow).unwrap();
    Some(redis)
}

fn with(redis: &Redis, credentials: &str) -> Address {
    let url = redis
        .url()
        .replace("redis://", &format!("redis://{credentials}@"));
    Address::parse(&url).unwrap()
}

async fn refused(address: &Address) -> String {
    let Refused { reason, .. } = admission(address).await.unwrap_err();
    assert!(!reason.contains("wrong"), "{reason}");
    reason
}

#[tokio::test]
async fn a_redis_that_refuses_us_is_found_out_before_the_start() {
    let Some(redis) = redis() else { return };
    assert_eq!(admission(&with(&redis, "panel:right")).await, Ok(()));
    let open = Address::parse(&redis.url()).unwrap();
    assert_eq!(admission(&open).await, Ok(()));
    assert!(
        refused(&with(&redis, "panel:wrong"))
            .await
            .contains("authentication failed")
    );
    assert!(
        refused(&with(&redis, "narrow:right"))
            .await
            .contains("no permissions")
    );
    redis
        .command(&["CONFIG", "SET", "requirepass", "right"])
        .unwrap();
    assert!(refused(&open).await.contains("NOAUTH"));
    assert_eq!(admission(&with(&redis, ":right")).await, Ok(()));
    let refusal = admission(&open).await.unwrap_err().to_string();
    assert!(refusal.contains("`REDIS_URL`"), "{refusal}");
}

#[tokio::test]
async fn a_redis_that_is_away_is_no_reason_not_to_begin() {
    let Some(redis) = redis() else { return };
    let address = with(&redis, "panel:right");
    drop(redis);
    assert_eq!(admission(&address).await, Ok(()));
}

#[tokio::test]
async fn a_password_that_is_changed_later_is_told_as_the_reason() {
    let Some(redis) = redis() else { return };
    let url = redis.url().replace("redis://", "redis://panel:right@");
    let shared = Shared::open(SharedSettings {
        url,
        prefix: String::new(),
        clock: Arc::new(|| Timestamp::from_ms(1)),
    })
    .await
    .unwrap();
    assert!(shared.health().up);
    assert_eq!(shared.health().reason, None);
    redis
        .command(&["ACL", "SETUSER", "panel", "resetpass", ">other"])
        .unwrap();
    redis.command(&["CLIENT", "KILL", "USER", "panel"]).unwrap();
    let told = async {
        loop {
            let health = shared.health();
            if health
                .reason
                .is_some_and(|reason| reason.contains("authentication failed"))
            {
                return health.up;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let up = tokio::time::timeout(PATIENCE, told).await.unwrap();
    assert!(!up);
}
