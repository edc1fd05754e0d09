//! Rooms: who hears what, and who is told what it missed.

use serde_json::{Value, json};

use super::world::World;

#[tokio::test]
async fn a_room_is_told_what_the_event_log_says_in_the_same_words() {
    let world = World::new().await;
    let mut visitor = world.visitor().await;
    let subscribed = visitor.subscribe("namespace").await;
    assert_eq!(subscribed["ok"], true);
    let task = world.task("bias_detection").await;
    let agent = world.agent("one", &["bias_detection"]).await;
    let (_, lease) = agent.claim_one().await;
    let progress = json!({"lease": lease, "progress": 40.0, "message": "two of five"});
    agent.say(&task, "progress", progress).await.ok(200);
    agent
        .say(&task, "complete", json!({"lease": lease}))
        .await
        .ok(200);

    let log = world.admin().get("/api/v1/events?limit=100").await.ok(200);
    let log = log["events"].as_array().unwrap();
    for expected in log
        .iter()
        .filter(|event| event["seq"].as_u64() > subscribed["last_seq"].as_u64())
    {
        let incoming = visitor.hear().await;
        assert_eq!(incoming.event, expected["type"].as_str().unwrap());
        assert_eq!(&incoming.read::<Value>().unwrap(), expected);
    }
    visitor.hears_nothing().await;
    assert!(
        log.iter().any(|event| event["type"] == "progress:update"
            && event["payload"]["message"] == "two of five")
    );
}

#[tokio::test]
async fn a_task_and_its_agent_have_rooms_of_their_own() {
    let world = World::new().await;
    let task = world.task("a").await;
    let other = world.task("b").await;
    let mut of_task = world.visitor().await;
    of_task.subscribe(&format!("task:{task}")).await;
    let mut of_agent = world.visitor().await;
    of_agent.subscribe("agent:one").await;
    let agent = world.agent("one", &["a", "b"]).await;
    assert_eq!(agent.claim(10).await.len(), 2);
    world
        .admin()
        .post(&format!("/api/v1/tasks/{other}/cancel"), json!({}))
        .await
        .ok(200);

    assert_eq!(
        of_task.told("task:delegate").await["payload"]["taskId"],
        json!(task)
    );
    of_task.hears_nothing().await;
    let kinds = [
        of_agent.hear().await,
        of_agent.hear().await,
        of_agent.hear().await,
    ];
    let kinds: Vec<&str> = kinds.iter().map(|each| each.event.as_str()).collect();
    assert_eq!(kinds, ["agent:register", "task:delegate", "task:delegate"]);
}

#[tokio::test]
async fn events_of_agents_and_deliveries_have_the_specified_payloads_and_no_contents() {
    let world = World::new().await;
    let mut visitor = world.visitor().await;
    visitor.subscribe("namespace").await;
    let agent = world.visitor().await;
    let register = json!({
        "agentId": "one", "agentType": "therapist", "capabilities": ["b", "a"], "metadata": {"ward": "7"}
    });
    agent.ask("agent:register", register).await;
    let told = visitor.told("agent:register").await;
    assert_eq!(
        told["payload"],
        json!({
            "agentId": "one", "agentType": "therapist", "capabilities": ["a", "b"], "metadata": {}, "status": "active"
        })
    );
    let deadline = "2026-01-03T00:00:00.000Z";
    let task = json!({"task_type": "a", "parameters": {"diary": "private"}, "deadline": deadline});
    let task = world.task_with(task).await;
    let told = visitor.told("task:delegate").await;
    assert_eq!(
        told["payload"],
        json!({
            "taskId": task, "agentId": "one", "taskType": "a", "parameters": {}, "deadline": deadline,
            "status": "assigned", "progress": 0.0
        })
    );
}

#[tokio::test]
async fn who_comes_back_is_told_what_it_missed_and_nothing_twice() {
    let world = World::new().await;
    let mut visitor = world.visitor().await;
    visitor.subscribe("namespace").await;
    world.task("a").await;
    let seen = visitor.told("task:created").await["seq"].as_u64().unwrap();
    visitor.leave().await;
    for _ in 0..5 {
        world.task("a").await;
    }
    let mut back = world.visitor().await;
    let told = back
        .ask("subscribe", json!({"room": "namespace", "after": seen}))
        .await;
    assert_eq!(told["replayed"], 5);
    assert_eq!(told["last_seq"].as_u64().unwrap(), seen + 5);
    world.task("a").await;
    for expected in seen + 1..=seen + 6 {
        assert_eq!(
            back.told("task:created").await["seq"].as_u64().unwrap(),
            expected
        );
    }
    back.hears_nothing().await;
    let lost = back
        .ask(
            "subscribe",
            json!({"room": "namespace", "after": 1_000_000}),
        )
        .await;
    assert_eq!(
        (&lost["resync"], lost["last_seq"].as_u64().unwrap()),
        (&json!(true), seen + 6)
    );
}

#[tokio::test]
async fn rooms_of_other_namespaces_stay_silent() {
    let world = World::new().await;
    let task = world.task("a").await;
    let mut stranger = world
        .holder("elsewhere", &["event:read", "task:read"])
        .await;
    stranger.subscribe("namespace").await;
    stranger.subscribe(&format!("task:{task}")).await;
    let agent = world.agent("one", &["a"]).await;
    agent.claim_one().await;
    stranger.hears_nothing().await;
}

#[tokio::test]
async fn each_room_needs_its_permission() {
    let world = World::new().await;
    let reader = world.holder("default", &["task:read"]).await;
    assert_eq!(reader.subscribe("task:t").await["ok"], true);
    for room in ["namespace", "pipeline:p", "agent:a"] {
        let refused = reader.refused("subscribe", json!({"room": room})).await;
        assert_eq!(
            (&refused["code"], &refused["status"]),
            (&json!("forbidden"), &json!(403)),
            "{room}"
        );
    }
    let both = reader
        .refused("subscribe", json!({"rooms": ["task:t", "namespace"]}))
        .await;
    assert_eq!(both["code"], "forbidden");
}

#[tokio::test]
async fn who_left_a_room_hears_no_more_of_it() {
    let world = World::new().await;
    let mut visitor = world.visitor().await;
    visitor
        .ask("subscribe", json!({"rooms": ["namespace", "agent:one"]}))
        .await;
    world.task("a").await;
    visitor.told("task:created").await;
    let left = visitor
        .ask("unsubscribe", json!({"room": "namespace"}))
        .await;
    assert_eq!(left["rooms"], 1);
    world.task("a").await;
    visitor.hears_nothing().await;
}

#[tokio::test]
async fn what_is_no_room_is_refused_with_what_would_be_one() {
    let world = World::new().await;
    let visitor = world.visitor().await;
    for body in [
        json!({}),
        json!({"room": "tasks"}),
        json!({"room": "task:../x"}),
        json!({"rom": "namespace"}),
        json!(7),
    ] {
        let refused = visitor.refused("subscribe", body.clone()).await;
        assert_eq!(
            (&refused["code"], &refused["status"]),
            (&json!("validation"), &json!(422)),
            "{body}"
        );
        assert_eq!(refused["errors"].as_array().unwrap().len(), 1);
    }
    let many: Vec<String> = (0..300).map(|each| format!("task:t{each}")).collect();
    let refused = visitor.refused("subscribe", json!({"rooms": many})).await;
    assert_eq!(refused["errors"][0]["code"], "too_many");
    let unknown = visitor.refused("task:fly", json!({})).await;
    assert_eq!(unknown["code"], "not_found");
    assert!(
        unknown["detail"]
            .as_str()
            .unwrap()
            .contains("`task:complete`")
    );
}

#[tokio::test]
async fn a_burst_larger_than_every_buffer_arrives_whole() {
    let world = World::new().await;
    let mut visitor = world.visitor().await;
    visitor.subscribe("namespace").await;
    let batch: Vec<Value> = (0..1_000).map(|_| json!({"task_type": "a"})).collect();
    for _ in 0..3 {
        let made = world
            .admin()
            .post("/api/v1/tasks/batch", json!({"tasks": batch}))
            .await;
        made.ok(201);
    }
    let mut last = 0;
    for _ in 0..3_000 {
        let seq = visitor.told("task:created").await["seq"].as_u64().unwrap();
        assert!(seq > last, "in order");
        last = seq;
    }
    visitor.hears_nothing().await;
}
