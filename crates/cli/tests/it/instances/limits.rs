//! Limits on calls that two instances count together.

use std::time::{Duration, Instant};

use mcpanel_api::key::NewApiKey;
use mcpanel_client::{Credential, Error, IdempotencyKey};
use serde_json::json;

use super::{Shared, admin, client, create};

/// Calls at once, and a second.
const BURST: u32 = 6;
const PER_SECOND: u32 = 1;

/// Longest until both have refused, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_count_the_calls_of_a_caller_together() {
    let Some(shared) = Shared::find(4) else {
        return;
    };
    let limits = format!("writes={PER_SECOND}:{BURST}");
    let instances: Vec<_> = ["one", "other"]
        .map(|name| shared.plan(name).with("MCPANEL_RATE_LIMITS", &limits))
        .into_iter()
        .map(|plan| plan.start().unwrap())
        .collect();
    for instance in &instances {
        tokio::task::block_in_place(|| instance.ready()).unwrap();
    }
    let new: NewApiKey =
        serde_json::from_value(json!({"name": "eager", "permissions": ["task:create"]})).unwrap();
    let made = admin(&instances[0])
        .create_key(&new, &IdempotencyKey::random())
        .await;
    let key = Credential::ApiKey(made.unwrap().api_key.expect("shown this once"));
    let callers: Vec<_> = instances
        .iter()
        .map(|instance| client(instance, key.clone()))
        .collect();

    let begun = Instant::now();
    let mut allowed = 0;
    let mut refused = [false; 2];
    while refused != [true; 2] {
        assert!(
            begun.elapsed() < LONG,
            "{allowed} were allowed, refused by {refused:?}"
        );
        for (caller, refused) in callers.iter().zip(&mut refused) {
            match create(caller, "work").await {
                Ok(_) => allowed += 1,
                Err(Error::Problem {
                    problem,
                    retry_after,
                }) => {
                    assert_eq!(
                        (problem.status, problem.code.as_str()),
                        (429, "rate_limited")
                    );
                    assert!(retry_after.is_some_and(|after| after >= Duration::from_secs(1)));
                    *refused = true;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    let back = PER_SECOND * (begun.elapsed().as_secs() as u32 + 1);
    assert!(
        allowed <= BURST + back,
        "{allowed} were allowed: each counts for itself"
    );
}
