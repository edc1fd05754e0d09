//! What is written is what is read.

use std::sync::Arc;

use mcpanel_domain::{
    Namespace, Payload, TaskId, Timestamp,
    pipeline::techdeck,
    retry::{BackoffStrategy, ErrorType, RetryConfig},
    task::{
        Attempt, CancelRequest, Lease, NewTask, Outcome, Place, Progress, State, Task, TaskError,
    },
};
use proptest::{collection::vec, option, prelude::*};

use super::{Fields, Reader, Shelf, fields::difference, json, payload, pipeline, task};

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::ZERO),
        Just(Timestamp::MAX),
        (0..4_000_000_000_000_i64).prop_map(Timestamp::from_ms),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{0,20}", "[a-z\u{0}$.\"\\\\]{0,8}"]
}

/// JSON, mostly in the compact form, sometimes not.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_filter("JSON has no infinities", |n| n.is_finite())
            .prop_map(|n| serde_json::to_string(&n).unwrap()),
        "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        text().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        let space = prop_oneof![9 => Just(""), 1 => Just(" ")];
        prop_oneof![
            (vec(inner.clone(), 0..6), space.clone())
                .prop_map(|(all, space)| format!("[{space}{}]", all.join(","))),
            (vec((text(), inner), 0..6), space).prop_map(|(all, space)| {
                let fields: Vec<String> = all
                    .iter()
                    .map(|(name, value)| {
                        format!("{}:{space}{value}", serde_json::to_string(name).unwrap())
                    })
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn any_payload() -> impl Strategy<Value = Payload> {
    any_json().prop_map(|text| Payload::parse(&text).unwrap())
}

fn error() -> impl Strategy<Value = TaskError> {
    let kind = prop_oneof![
        Just(ErrorType::Network),
        Just(ErrorType::BusinessLogic),
        Just(ErrorType::System),
    ];
    (kind, text(), option::of(any_payload())).prop_map(|(kind, message, details)| TaskError {
        kind,
        message,
        details,
    })
}

fn lease() -> impl Strategy<Value = Lease> {
    (
        any::<u32>(),
        any::<u128>(),
        time(),
        time(),
        option::of(time()),
    )
        .prop_map(
            |(attempt, nonce, granted_at, expires_at, started_at)| Lease {
                attempt,
                nonce,
                agent_id: "worker-1".parse().unwrap(),
                session: "sess_1".parse().unwrap(),
                granted_at,
                expires_at,
                started_at,
            },
        )
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Pending),
        lease().prop_map(State::Assigned),
        lease().prop_map(State::Running),
        time().prop_map(|at| State::Retry { at }),
        Just(State::Completed),
        Just(State::Failed),
        Just(State::Cancelled),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let outcome = prop_oneof![
        Just(Outcome::Completed),
        Just(Outcome::TimedOut),
        Just(Outcome::LeaseLost),
        Just(Outcome::Released),
    ];
    (
        lease(),
        option::of(time()),
        option::of(outcome),
        option::of(error()),
    )
        .prop_map(|(lease, ended_at, outcome, error)| Attempt {
            number: lease.attempt,
            nonce: lease.nonce,
            agent_id: lease.agent_id,
            session: lease.session,
            assigned_at: lease.granted_at,
            started_at: lease.started_at,
            ended_at,
            outcome,
            error,
        })
}

fn progress() -> impl Strategy<Value = Progress> {
    (0.0..=100.0_f64, option::of(text()), vec(any::<u64>(), 0..3)).prop_map(
        |(percent, message, counters)| Progress {
            percent,
            message,
            counters: counters
                .into_iter()
                .map(|count| ("records".parse().unwrap(), count))
                .collect(),
        },
    )
}

fn retry() -> impl Strategy<Value = Arc<RetryConfig>> {
    (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(max_retries, delay, fixed)| {
        Arc::new(RetryConfig {
            max_retries,
            initial_delay: u64::from(delay),
            backoff_strategy: match fixed {
                true => BackoffStrategy::Fixed,
                false => BackoffStrategy::Linear,
            },
            ..RetryConfig::default()
        })
    })
}

fn place() -> impl Strategy<Value = Place> {
    (any::<u16>(), any::<u32>(), any::<u32>()).prop_map(|(stage, index, run)| Place {
        pipeline_id: "pipe_1".parse().unwrap(),
        stage,
        index,
        run,
    })
}

/// A task with anything in it.
fn any_task() -> impl Strategy<Value = Task> {
    let numbers = (1..i64::MAX as u64, any::<i32>(), any::<u32>(), any::<u32>());
    let times = (
        time(),
        time(),
        option::of(time()),
        option::of(time()),
        option::of(time()),
    );
    let parts = (
        state(),
        option::of(place()),
        vec(attempt(), 0..3),
        progress(),
        option::of(error()),
        option::of(any_payload()),
        retry(),
    );
    let wishes = (
        option::of(0..i64::MAX as u64),
        option::of((time(), text(), option::of(text()))),
    );
    (numbers, times, parts, wishes).prop_map(
        |((revision, priority, retry_count, unstarted), times, parts, (timeout_ms, cancel))| {
            let new = NewTask::of_type("task_1".parse().unwrap(), "work".parse().unwrap());
            let by: Arc<str> = Arc::from("tester");
            let made = new.create(&Namespace::default_namespace(), &by, times.0);
            let (state, place, attempts, progress, error, metadata, retry) = parts;
            Task {
                revision,
                priority,
                retry_count,
                unstarted,
                updated_at: times.1,
                run_at: times.2,
                deadline: times.3,
                started_at: times.4,
                completed_at: times.4,
                attempt: retry_count,
                dependencies: [TaskId::parse("other").unwrap()].into(),
                target: place.as_ref().map(|_| "worker-1".parse().unwrap()),
                timeout_ms,
                cancel_requested: cancel.map(|(at, by, reason)| CancelRequest { at, by, reason }),
                state,
                place,
                attempts,
                progress,
                error,
                metadata,
                retry,
                ..made.task.unwrap()
            }
        },
    )
}

proptest! {
    #[test]
    fn json_comes_back_byte_for_byte(payload in any_payload()) {
        let mut fields = Fields::new();
        let mut large = Vec::new();
        payload::put(&mut fields, "parameters", &payload, 1_000_000, &mut large);
        prop_assert!(large.is_empty());
        let reader = Reader::new(fields.raw()).unwrap();
        let back = payload::get(&reader, "parameters", &Shelf::default()).unwrap();
        prop_assert_eq!(back, Some(payload));
    }

    #[test]
    fn tasks_come_back_as_they_were(task in any_task()) {
        let fields = task::encode(&task, &mut Vec::new());
        prop_assert_eq!(task::decode(fields.raw(), &Shelf::default()).unwrap(), task);
    }

    #[test]
    fn a_difference_makes_the_old_document_the_new_one(old in any_task(), new in any_task()) {
        let before = task::encode(&old, &mut Vec::new());
        let after = task::encode(&new, &mut Vec::new());
        let (set, unset) = difference(before.raw(), after.raw());
        let mut stored = mongodb::bson::Document::try_from(before.raw()).unwrap();
        for name in unset {
            stored.remove(name);
        }
        stored.extend(mongodb::bson::Document::try_from(set.raw()).unwrap());
        let raw = mongodb::bson::RawDocumentBuf::try_from(&stored).unwrap();
        prop_assert_eq!(task::decode(&raw, &Shelf::default()).unwrap(), new);
    }
}

#[test]
fn usual_json_becomes_bson_and_strange_json_stays_text() {
    for text in [
        "{}",
        "[1,2.5,\"x\",null]",
        "{\"a\":{\"b\":[true]}}",
        "\"text\"",
    ] {
        assert!(json::to_bson(text).is_some(), "{text}");
    }
    for text in [
        "{ }",
        "1e3",
        "{\"$set\":1}",
        "{\"a\":1,\"a\":2}",
        "18446744073709551615",
    ] {
        assert!(json::to_bson(text).is_none(), "{text}");
    }
}

#[test]
fn a_large_value_is_kept_beside_its_document() {
    let value = Payload::parse(&format!("\"{}\"", "x".repeat(100))).unwrap();
    let mut fields = Fields::new();
    let mut large = Vec::new();
    payload::put(&mut fields, "result", &value, 50, &mut large);
    assert_eq!(large.len(), 1);
    let reader = Reader::new(fields.raw()).unwrap();
    let mut shelf = Shelf::default();
    payload::get(&reader, "result", &shelf).unwrap();
    assert_eq!(shelf.take_missing(), [large[0].sha256.clone()]);
    shelf.put(large[0].sha256.clone(), large[0].payload.clone());
    let back = payload::get(&reader, "result", &shelf).unwrap();
    assert_eq!(back.unwrap(), value);
    assert!(shelf.take_missing().is_empty());
    assert_eq!(
        payload::other_names(&fields, "result"),
        ["result", "result_json"]
    );
}

#[test]
fn templates_come_back_as_they_were() {
    let template = techdeck::template(&Namespace::default_namespace());
    let fields = pipeline::encode_template(&template, &mut Vec::new());
    let back = pipeline::decode_template(fields.raw(), &Shelf::default()).unwrap();
    assert_eq!(back, template);
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    let mut fields = Fields::new();
    fields.put("task_id", "a");
    fields.put("namespace", "default");
    fields.put("status", 7);
    let found = task::decode(fields.raw(), &Shelf::default()).unwrap_err();
    assert_eq!(
        found.to_string(),
        "a: field `status` is missing or of another type"
    );
}
