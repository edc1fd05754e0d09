//! `mcpanel store copy`: a server's data into MongoDB, and out of it into another folder.

use std::{path::Path, process::Output, time::Duration};

use mcpanel_api::{
    agent::{Claim, RegisterAgent},
    event::EventQuery,
    task::{Complete, TaskQuery},
};
use mcpanel_client::{Client, Credential, IdempotencyKey};
use serde_json::{Value, json};

use super::{Shared, admin, client, create};
use crate::support::{Server, Watched, mcpanel, said};

/// Tasks that are copied.
const TASKS: usize = 150;
/// Pipelines that are copied, each in a commit of its own and before all tasks: a copy of them takes its time.
const PIPELINES: usize = 60;
/// As often a copy is broken off that may be done before.
const TRIES: usize = 10;
/// Longest wait for what takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes something of everything; answers an agent's token.
async fn fill(client: &Client) -> String {
    for _ in 0..TASKS {
        create(client, "work").await.unwrap();
    }
    for n in 1..=PIPELINES {
        let pipeline = json!({
            "name": "copied", "execute": n == PIPELINES,
            "stages": [{"stage": 1, "name": "only", "task_type": "other", "mode": "single"}],
        });
        let key = IdempotencyKey::random();
        let pipeline = serde_json::from_value(pipeline).unwrap();
        client.create_pipeline(&pipeline, &key).await.unwrap();
    }
    let agent: RegisterAgent = serde_json::from_value(
        json!({"agent_id": "one", "name": "one", "type": "tester", "capabilities": ["work"], "concurrency": 10}),
    )
    .unwrap();
    let key = IdempotencyKey::random();
    let signed = client.register_agent(&agent, &key).await.unwrap();
    let own = client
        .with_credential(Credential::Token(signed.token.clone()))
        .unwrap();
    let claim = Claim {
        max: Some(5),
        wait_ms: Some(0),
    };
    let held = own.claim(&signed.agent.agent_id, &claim).await.unwrap();
    for task in held.tasks.into_iter().take(3) {
        let complete = Complete {
            lease: task.lease.unwrap(),
            result: mcpanel_api::Payload::of(&json!({"done": true})).ok(),
        };
        own.complete_task(&task.task_id, &complete).await.unwrap();
    }
    signed.token
}

/// What callers see: tasks, pipelines, and the events up to now.
async fn seen(client: &Client) -> Value {
    let query = TaskQuery {
        limit: Some(500),
        ..TaskQuery::default()
    };
    let tasks = client.list_tasks(&query).await.unwrap().tasks;
    let newest = client.list_pipelines(&Default::default()).await.unwrap();
    let events = EventQuery {
        after: Some(0),
        limit: Some(100),
        ..EventQuery::default()
    };
    let events = client.list_events(&events).await.unwrap().events;
    json!({"tasks": tasks, "pipelines": newest.pipelines, "events": events})
}

fn copy(from: &str, to: &str) -> Output {
    mcpanel(["store", "copy", "-o", "json", "--from", from, "--to", to])
        .output()
        .unwrap()
}

/// What a copy that succeeded tells: count and digest of each kind.
fn copied(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    assert!(said(output).contains("both hold the same, by count and digest"));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Breaks a copy off in this way after it has counted and before it is done. Where it was done already, it begins again
/// with another database; so what this names holds a part.
fn broken_off(here: &Path, shared: Shared, how: impl Fn(&mut Watched)) -> Shared {
    for attempt in 1..=TRIES {
        let Shared { mongodb, redis } = &shared;
        let target = Shared {
            mongodb: mongodb.replacen('?', &format!("_{attempt}?"), 1),
            redis: redis.clone(),
        };
        let mut copying = Watched::start(&mut mcpanel([
            "store",
            "copy",
            "--from",
            text(here),
            "--to",
            &target.mongodb,
        ]));
        copying.wait_for("counting: ").expect("it counts");
        how(&mut copying);
        assert_ne!(copying.end(), Some(1), "{:?}", copying.heard);
        // What it says at the end of that step.
        if !copying.heard.iter().any(|line| line.contains("copying: ")) {
            return target;
        }
    }
    panic!("{TRIES} copies were done before they could be broken off");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_moves_into_mongodb_and_back() {
    let Some(shared) = Shared::find(6) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (here, back) = (folder.path().join("here"), folder.path().join("back"));
    let server = Server::start(&here);
    let token = fill(&server.client()).await;
    let before = seen(&server.client()).await;
    let in_use = copy(text(&here), &shared.mongodb);
    assert_eq!(in_use.status.code(), Some(1), "{}", said(&in_use));
    assert!(
        said(&in_use).contains("stop its server"),
        "{}",
        said(&in_use)
    );
    drop(server);

    #[cfg(unix)]
    let shared = broken_off(&here, shared, Watched::interrupt);
    let shared = broken_off(&here, shared, Watched::kill);
    // The same command goes on from there.
    let there = copied(&copy(text(&here), &shared.mongodb));
    let again = copied(&copy(text(&here), &shared.mongodb));
    assert_eq!(again, there, "a copy that is made twice is the same");
    let home = copied(&copy(&shared.mongodb, text(&back)));
    assert_eq!(home, there, "what comes back is what went");
    let tasks = there
        .as_array()
        .unwrap()
        .iter()
        .find(|each| each["kind"] == "tasks");
    assert_eq!(tasks.unwrap()["count"], TASKS + 1, "and the pipeline's own");

    // As the copy said: with the same secret, agents' tokens stay valid.
    let mut plan = shared.plan("over MongoDB");
    plan.environment.retain(|(name, _)| name != "JWT_SECRET");
    let secret = std::fs::read_to_string(here.join("jwt.secret")).unwrap();
    let instance = plan.with("JWT_SECRET", secret.trim()).start().unwrap();
    instance.ready().unwrap();
    let agent = client(&instance, Credential::Token(token));
    let own = agent.get_agent(&"one".parse().unwrap()).await.unwrap();
    assert_eq!(own.agent_id.as_str(), "one");
    assert_same(&seen(&admin(&instance)).await, &before);
    create(&admin(&instance), "work").await.unwrap();
    let server = Server::start(&back);
    assert_same(&seen(&server.client()).await, &before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_copied_while_instances_serve() {
    let Some(shared) = Shared::find(9) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (here, back) = (folder.path().join("here"), folder.path().join("back"));
    drop(Server::start(&here));
    let mut instance = shared.start("in use");
    create(&admin(&instance), "work").await.unwrap();
    for (from, to) in [
        (text(&here), shared.mongodb.as_str()),
        (shared.mongodb.as_str(), text(&back)),
    ] {
        let refused = copy(from, to);
        let said = said(&refused);
        assert_eq!(refused.status.code(), Some(5), "{said}");
        let process = format!("process {} on `", instance.process.pid().unwrap());
        assert!(said.contains(&process), "{said}");
        assert!(said.contains("stop all of its servers first"), "{said}");
        assert!(!said.contains("counting"), "{said}");
    }
    assert!(!back.exists());
    // It says goodbye, so that nobody must wait for it.
    instance.process.terminate().unwrap();
    let ended = instance.process.wait(PATIENCE).unwrap();
    assert_eq!(ended, Some(0), "{}", instance.process.log_end());
    copied(&copy(&shared.mongodb, text(&back)));
}

#[test]
fn a_folder_without_a_store_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let (none, to) = (folder.path().join("none"), folder.path().join("to"));
    let output = copy(text(&none), text(&to));
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("there is no store in `"),
        "{}",
        said(&output)
    );
    assert!(!none.exists() && !to.exists());
}

/// The same, but for what time itself changes: an agent that is silent loses what it held.
#[track_caller]
fn assert_same(now: &Value, before: &Value) {
    let ids = |all: &Value| -> Vec<String> {
        let tasks = all["tasks"].as_array().unwrap().iter();
        let mut ids: Vec<_> = tasks.map(|task| task["task_id"].to_string()).collect();
        ids.sort();
        ids
    };
    let completed = |all: &Value| -> Vec<Value> {
        let tasks = all["tasks"].as_array().unwrap().iter();
        tasks
            .filter(|task| task["status"] == "completed")
            .cloned()
            .collect()
    };
    let pipeline = |all: &Value| all["pipelines"][0]["pipeline_id"].clone();
    assert_eq!(ids(now), ids(before));
    assert_eq!(completed(before).len(), 3);
    assert_eq!(completed(now), completed(before));
    assert_eq!(pipeline(now), pipeline(before));
    assert_eq!(now["events"], before["events"], "events keep their numbers");
}
