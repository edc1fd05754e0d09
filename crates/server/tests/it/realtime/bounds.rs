//! What one socket may ask for.

use std::time::Duration;

use mcpanel_client::socket::SocketError;
use mcpanel_realtime::limits::{CALLS_QUEUED_MAX, MESSAGE_BYTES_MAX};
use mcpanel_server::realtime::{CallRate, Settings, settings};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::world::World;

/// How long a test floods before it gives up.
const FLOOD_MAX: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_flood_is_refused_and_then_ended() {
    // So few that every machine sends more.
    let calls = CallRate {
        per_s: 1,
        burst: 2,
        refused_max: 2,
    };
    let world = World::with(Settings {
        calls,
        ..settings(Vec::new())
    })
    .await;
    let mut flood = world.visitor().await;
    let body = json!({"taskId": "t", "lease": "1-0"});
    // One after another: a call on its way when the socket ends can take the reason with it.
    let flooded = timeout(FLOOD_MAX, async {
        while let Ok(_) | Err(SocketError::Problem(_)) =
            flood.call::<Value>("task:start", &body).await
        {}
    });
    flooded.await.expect("it is ended");
    assert_eq!(flood.reason().await, "too_many");
    // The others did not notice.
    assert_eq!(
        world.visitor().await.subscribe("namespace").await["ok"],
        true
    );
}

#[tokio::test]
async fn too_many_calls_at_once_are_refused_one_by_one() {
    let world = World::new().await;
    let visitor = world.visitor().await;
    let calls = (0..CALLS_QUEUED_MAX * 3).map(|_| {
        let visitor = &visitor;
        async move {
            visitor
                .call::<Value>("subscribe", &json!({"room": "namespace"}))
                .await
        }
    });
    let outcomes = futures::future::join_all(calls).await;
    let refused = outcomes.iter().filter(|outcome| match outcome {
        Err(SocketError::Problem(problem)) => {
            assert_eq!((problem.code.as_str(), problem.status), ("too_many", 429));
            true
        }
        Err(other) => panic!("{other}"),
        Ok(_) => false,
    });
    assert!(refused.count() < CALLS_QUEUED_MAX * 2 + 1);
    assert_eq!(
        visitor.subscribe("namespace").await["ok"],
        true,
        "it goes on"
    );
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_socket_only() {
    let world = World::new().await;
    let visitor = world.visitor().await;
    let large = "x".repeat(MESSAGE_BYTES_MAX + 1);
    let outcome = visitor
        .call::<Value>("task:complete", &json!({"result": large}))
        .await;
    assert!(matches!(outcome, Err(SocketError::Ended)), "{outcome:?}");
    let fits = "x".repeat(MESSAGE_BYTES_MAX - 1_000);
    let other = world.visitor().await;
    let refused = other
        .refused(
            "task:complete",
            json!({"taskId": "t", "lease": "1-0", "result": {"text": fits}}),
        )
        .await;
    assert_eq!(refused["code"], "not_found");
}
