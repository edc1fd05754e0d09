//! Agents that live on a socket alone.

use std::time::Duration;

use mcpanel_client::Credential;
use serde_json::{Value, json};

use super::world::{World, held};

#[tokio::test]
async fn an_agent_lives_on_a_socket_alone() {
    let world = World::new().await;
    let mut agent = world.visitor().await;
    // As the specification writes it.
    let register = json!({"type": "agent:register", "payload": {
        "agentId": "bias-1", "agentType": "bias-detector", "capabilities": ["bias_detection"], "metadata": {"team": "a"}
    }});
    let told = agent.ask("agent:register", register).await;
    assert_eq!(told["agent"]["agent_id"], "bias-1");
    assert_eq!(told["agent"]["type"], "bias-detector");
    assert_eq!(told["agent"]["metadata"], json!({"team": "a"}));
    assert!(told["token"].is_string() && told["session_id"].is_string());
    assert_eq!(told["heartbeat_interval_ms"], 10_000);

    let deadline = "2026-01-03T00:00:00.000Z";
    let task = json!({"task_type": "bias_detection", "parameters": {"b": 1, "a": [1.50]}, "deadline": deadline});
    let task = world.task_with(task).await;
    let pushed = agent.hear_of("task:delegate").await;
    assert!(pushed.asks());
    assert!(
        pushed
            .body
            .get()
            .contains(r#""parameters":{"a":[1.5],"b":1}"#),
        "as they came: {}",
        pushed.body
    );
    let body: Value = pushed.read().unwrap();
    assert_eq!(body["type"], "task:delegate");
    let payload = &body["payload"];
    assert_eq!(payload["taskId"], json!(task));
    assert_eq!(payload["agentId"], "bias-1");
    assert_eq!(payload["taskType"], "bias_detection");
    assert_eq!(payload["deadline"], deadline);
    agent
        .acknowledge(&pushed, &json!({"accepted": true}))
        .await
        .unwrap();
    let (_, lease) = held(&body);

    let about = |more: Value| {
        let mut about = json!({"taskId": task, "lease": lease});
        about
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        about
    };
    let started = agent.ask("task:start", about(json!({}))).await;
    assert_eq!(
        (&started["ok"], &started["status"]),
        (&json!(true), &json!("running"))
    );
    let spec =
        about(json!({"stage": 1, "status": "running", "progress": 42.5, "message": "half way"}));
    assert_eq!(agent.ask("progress:update", spec).await["progress"], 42.5);
    agent
        .ask(
            "task:log",
            about(json!({"lines": [{"level": "info", "message": "seen"}]})),
        )
        .await;
    let alive = agent.ask("agent:heartbeat", json!({"tasks": [task]})).await;
    assert_eq!(
        (&alive["status"], &alive["cancel"], &alive["lost"]),
        (&json!("active"), &json!([]), &json!([]))
    );
    let done = agent
        .ask("task:complete", about(json!({"result": {"score": 0.5}})))
        .await;
    assert_eq!(done["status"], "completed");
    let again = agent
        .ask("task:complete", about(json!({"result": {"score": 0.5}})))
        .await;
    assert_eq!(
        again["status"], "completed",
        "said twice, it is answered alike"
    );
    let seen = world.see(&task).await;
    assert_eq!(
        (&seen["status"], &seen["result"]),
        (&json!("completed"), &json!({"score": 0.5}))
    );
}

#[tokio::test]
async fn what_an_agent_says_without_waiting_is_done_in_order() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    for _ in 0..20 {
        let task = world.task("a").await;
        let (_, lease) = agent.take().await;
        let about = |progress| json!({"taskId": task, "lease": lease, "progress": progress});
        agent
            .say("task:start", &json!({"taskId": task, "lease": lease}))
            .await
            .unwrap();
        for progress in [10.0, 20.0, 90.0] {
            agent.say("task:progress", &about(progress)).await.unwrap();
        }
        agent
            .say("task:complete", &json!({"taskId": task, "lease": lease}))
            .await
            .unwrap();
        world.until(&task, "completed").await;
    }
    let log = world
        .admin()
        .get("/api/v1/events?type=progress:&limit=500")
        .await
        .ok(200);
    assert_eq!(
        log["events"].as_array().unwrap().len(),
        60,
        "no report was overtaken by a completion"
    );
}

#[tokio::test]
async fn a_refused_task_goes_to_somebody_else() {
    let world = World::new().await;
    let (mut unwilling, _) = world.socket_agent("unwilling", &["a"]).await;
    let task = world.task("a").await;
    let pushed = unwilling.hear_of("task:delegate").await;
    unwilling
        .acknowledge(&pushed, &json!({"accepted": false, "reason": "busy"}))
        .await
        .unwrap();
    let (mut willing, _) = world.socket_agent("willing", &["a"]).await;
    let (taken, _) = willing.take().await;
    assert_eq!(taken, task);
    assert_eq!(world.see(&task).await["assigned_agent_id"], "willing");
    assert_eq!(world.see(&task).await["retry_count"], 0);
}

#[tokio::test]
async fn who_does_not_acknowledge_loses_the_delivery_and_not_the_task() {
    let world = World::new().await;
    let (mut silent, _) = world.socket_agent("silent", &["a"]).await;
    let task = world.task("a").await;
    let pushed = silent.hear_of("task:delegate").await;
    let released = world.until(&task, "pending").await;
    assert_eq!(
        (&released["retry_count"], &released["attempt"]),
        (&json!(0), &json!(1))
    );
    // Its lease is nobody's any more.
    let (_, lease) = held(&pushed.read().unwrap());
    let refused = silent
        .refused("task:complete", json!({"taskId": task, "lease": lease}))
        .await;
    assert_eq!(
        (&refused["code"], &refused["status"]),
        (&json!("stale_lease"), &json!(409))
    );
    // And it is asked again after a pause.
    let (again, _) = silent.take().await;
    assert_eq!(again, task);
}

#[tokio::test]
async fn an_acknowledgement_that_says_nothing_accepts() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    let task = world.task("a").await;
    let pushed = agent.hear_of("task:delegate").await;
    agent.acknowledge(&pushed, &Value::Null).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.see(&task).await["status"], "assigned");
}

#[tokio::test]
async fn an_acknowledgement_that_nobody_can_read_leaves_the_task_to_others() {
    let world = World::new().await;
    let (mut mumbling, _) = world.socket_agent("mumbling", &["a"]).await;
    let task = world.task("a").await;
    let pushed = mumbling.hear_of("task:delegate").await;
    mumbling.acknowledge(&pushed, &json!("no")).await.unwrap();
    let (mut willing, _) = world.socket_agent("willing", &["a"]).await;
    assert_eq!(willing.take().await.0, task);
}

#[tokio::test]
async fn one_agent_lives_on_a_socket() {
    let world = World::new().await;
    let (mut one, _) = world.socket_agent("one", &["a"]).await;
    for other in [
        json!({"agent_id": "two", "name": "Two", "type": "t", "capabilities": ["b"]}),
        json!({"name": "Nameless", "type": "t", "capabilities": ["b"]}),
    ] {
        let refused = one.refused("agent:register", other).await;
        assert_eq!(
            (&refused["code"], &refused["status"]),
            (&json!("conflict"), &json!(409))
        );
        assert!(
            refused["detail"]
                .as_str()
                .unwrap()
                .contains("`one` lives on this socket")
        );
    }
    let agents: Value = world.admin().get("/api/v1/agents").await.json();
    assert_eq!(agents["agents"].as_array().unwrap().len(), 1, "{agents}");
    let task = world.task("a").await;
    assert_eq!(one.take().await.0, task);
    // The same agent may sign on again: a new session on the same socket, where what the one before held comes back.
    one.register("one", &["a"]).await;
    assert_eq!(one.take().await.0, task);
}

#[tokio::test]
async fn an_agent_that_follows_its_own_room_hears_of_its_work_by_the_push_alone() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    agent.subscribe("namespace").await;
    let task = world.task("a").await;
    let (taken, lease) = agent.take().await;
    assert_eq!(taken, task);
    agent
        .ask("task:start", json!({"taskId": task, "lease": lease}))
        .await;
    loop {
        let heard = agent.hear().await;
        assert!(heard.event != "task:delegate", "{}", heard.body);
        if heard.event == "task:started" {
            break;
        }
    }
}

#[tokio::test]
async fn a_lost_line_costs_the_deliveries_under_way_only() {
    let world = World::new().await;
    let (mut agent, token) = world.socket_agent("one", &["a"]).await;
    let kept = world.task("a").await;
    let (_, lease) = agent.take().await;
    let under_way = world.task("a").await;
    agent.hear_of("task:delegate").await;
    drop(agent);
    world.until(&under_way, "pending").await;
    assert_eq!(world.see(&kept).await["status"], "assigned");

    let mut back = world.connect(Credential::Token(token)).await.unwrap();
    let attached = back.ask("agent:attach", json!({})).await;
    assert_eq!(attached["agent"]["agent_id"], "one");
    let (again, _) = back.take().await;
    assert_eq!(again, under_way);
    let done = back
        .ask("task:complete", json!({"taskId": kept, "lease": lease}))
        .await;
    assert_eq!(
        done["status"], "completed",
        "the session and its leases outlive the line"
    );
}

#[tokio::test]
async fn a_wish_to_cancel_is_told_and_confirmed() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    let task = world.task("a").await;
    let (_, lease) = agent.take().await;
    agent
        .ask("task:start", json!({"taskId": task, "lease": lease}))
        .await;
    let path = format!("/api/v1/tasks/{task}/cancel");
    world
        .admin()
        .post(&path, json!({"reason": "the wrong file"}))
        .await
        .ok(200);
    let wish = agent.told("task:cancel").await;
    assert_eq!(
        (&wish["type"], &wish["payload"]["taskId"]),
        (&json!("task:cancel"), &json!(task))
    );
    let stopped = agent
        .ask("task:cancel", json!({"taskId": task, "lease": lease}))
        .await;
    assert_eq!(stopped["status"], "cancelled");
}

#[tokio::test]
async fn a_draining_agent_finishes_and_is_given_nothing_new() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    let task = world.task("a").await;
    let (_, lease) = agent.take().await;
    assert_eq!(agent.ask("agent:drain", json!({})).await["draining"], true);
    let later = world.task("a").await;
    agent.hears_nothing().await;
    let done = agent
        .ask("task:complete", json!({"taskId": task, "lease": lease}))
        .await;
    assert_eq!(done["status"], "completed");
    agent.ask("agent:attach", json!({})).await;
    assert_eq!(agent.take().await.0, later);
}

#[tokio::test]
async fn failing_and_giving_back_are_said_over_the_socket_too() {
    let world = World::new().await;
    let (mut agent, _) = world.socket_agent("one", &["a"]).await;
    let task = world.task("a").await;
    let (_, lease) = agent.take().await;
    let error = json!({"type": "validation", "message": "no such column"});
    let failed = agent
        .ask(
            "task:fail",
            json!({"taskId": task, "lease": lease, "error": error}),
        )
        .await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(world.see(&task).await["error"]["message"], "no such column");
    let task = world.task("a").await;
    let (_, lease) = agent.take().await;
    let back = agent
        .ask(
            "task:release",
            json!({"taskId": task, "lease": lease, "reason": "no room"}),
        )
        .await;
    assert_eq!(back["status"], "pending");
}

#[tokio::test]
async fn calls_with_faults_are_refused_with_all_of_them() {
    let world = World::new().await;
    let (agent, _) = world.socket_agent("one", &["a"]).await;
    let refused = agent
        .refused("task:progress", json!({"taskId": "../x", "progress": 400}))
        .await;
    assert_eq!(
        (&refused["code"], &refused["status"]),
        (&json!("validation"), &json!(422))
    );
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers.len(), 3, "{pointers:?}");
    for pointer in ["/taskId", "/progress", "/lease"] {
        assert!(pointers.contains(&pointer), "{pointers:?}");
    }
    let unknown = agent
        .refused("task:start", json!({"taskId": "nope", "lease": "1-00"}))
        .await;
    assert_eq!(unknown["code"], "not_found");
}

#[tokio::test]
async fn what_somebody_may_not_is_refused() {
    let world = World::new().await;
    let reader = world.holder("default", &["event:read"]).await;
    let payload = json!({"agentId": "x", "agentType": "tester", "capabilities": ["a"]});
    assert_eq!(
        reader.refused("agent:register", payload).await["code"],
        "forbidden"
    );
    assert_eq!(
        reader.refused("task:start", json!({})).await["code"],
        "forbidden"
    );
    for event in ["agent:heartbeat", "agent:attach", "agent:drain"] {
        assert_eq!(
            reader.refused(event, json!({})).await["code"],
            "forbidden",
            "{event}"
        );
    }
}

#[tokio::test]
async fn parameters_too_large_for_a_message_are_left_to_be_read() {
    let world = World::new().await;
    let (mut agent, token) = world.socket_agent("one", &["a"]).await;
    let text = "x".repeat(2 * 1024 * 1024);
    let task = world
        .task_with(json!({"task_type": "a", "parameters": {"text": text}}))
        .await;
    let pushed = agent.hear_of("task:delegate").await;
    agent.acknowledge(&pushed, &true).await.unwrap();
    let body: Value = pushed.read().unwrap();
    assert_eq!(
        (
            &body["payload"]["parameters"],
            &body["payload"]["parametersOmitted"]
        ),
        (&Value::Null, &json!(true))
    );
    let bearer = format!("Bearer {token}");
    let client = world.anonymous().with_header("authorization", &bearer);
    let read = client.get(&format!("/api/v1/tasks/{task}")).await.ok(200);
    assert_eq!(
        read["parameters"]["text"].as_str().unwrap().len(),
        text.len()
    );
}
