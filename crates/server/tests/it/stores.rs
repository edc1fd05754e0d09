//! The same cases over every other store: this binary runs itself again.

use std::{env, process::Command, sync::Mutex};

use crate::support::stores::{MONGODB, REDIS, STORE};

/// With this set to `1` missing servers are a failure.
const REQUIRED: &str = "MCPANEL_TEST_REQUIRE_SERVERS";

/// What another store makes no difference to, or that opens its own: run once. Sockets keep real time, which two
/// processes at once would make scarce; what they tell comes from the event log, whose cases are run.
const ELSEWHERE: [&str; 7] = [
    "stores::",
    "full_disk::",
    "serve::",
    "rates::",
    "realtime::",
    "whole::openapi::",
    "whole::bodies::bodies_about_keys_and_health",
];

/// What real servers cannot take part in: time that is stopped, which would run out while they answer, and a caller that
/// leaves after a counted number of steps.
const NOT_OVER_SERVERS: [&str; 5] = [
    "a_claim_that_finds_nothing_waits_as_long_as_it_was_asked_to",
    "a_waiting_claim_looks_for_itself_too",
    "a_quiet_stream_says_that_it_lives_and_how_far_it_is",
    "a_stream_ends_after_its_time_and_when_the_server_stops",
    "leases_granted_to_a_caller_that_left_meanwhile_go_back",
];

/// Cases that run at once. Over real servers, each makes a database with all its indexes first.
const CASES_AT_ONCE: &str = "4";

/// Held while cases run over servers: one MongoDB serves them all.
static TURN: Mutex<()> = Mutex::new(());

/// Where a cluster of Redis is.
const CLUSTER: &str = "MCPANEL_TEST_REDIS_CLUSTER_URL";

/// Runs all cases but these in a process of their own, over the Redis that this variable names.
fn all_cases_over(store: &str, but: &[&str], redis: &str) {
    if env::var_os(STORE).is_some() {
        println!("skipped: this process was told which store to use");
        return;
    }
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--test-threads", CASES_AT_ONCE])
        .args(
            ELSEWHERE
                .iter()
                .chain(but)
                .flat_map(|case| ["--skip", case]),
        )
        .env(STORE, store)
        .env("INSTA_UPDATE", "no")
        .envs(env::var_os(redis).map(|address| (REDIS, address)))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "over the store `{store}`:\n{told}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(told.contains("tasks::create::"), "no case ran:\n{told}");
}

/// Runs all cases over MongoDB and the Redis that this variable names.
fn all_cases_over_servers(redis: &str) {
    let missing: Vec<&str> = [MONGODB, redis]
        .into_iter()
        .filter(|variable| env::var_os(variable).is_none())
        .collect();
    if missing.is_empty() {
        let _turn = TURN.lock();
        all_cases_over("mongodb", &NOT_OVER_SERVERS, redis);
        return;
    }
    let required = env::var(REQUIRED).as_deref() == Ok("1");
    assert!(
        !required,
        "{missing:?} name no servers, and {REQUIRED}=1 asks for them"
    );
    eprintln!("skipped: {missing:?} name no servers; see `cargo xtask servers`");
}

#[test]
fn every_case_holds_over_the_embedded_store() {
    all_cases_over("embedded", &[], REDIS);
}

#[test]
fn every_case_holds_over_mongodb_and_redis() {
    all_cases_over_servers(REDIS);
}

#[test]
fn every_case_holds_over_mongodb_and_a_redis_cluster() {
    all_cases_over_servers(CLUSTER);
}
