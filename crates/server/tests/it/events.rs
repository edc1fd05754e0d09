//! Events over the real router: reading, following, resuming, and being told what was missed.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::{Client, TestServer};

/// A stream of events, read word by word.
struct Following {
    body: Body,
    text: String,
}

/// What came over a stream: the fields of one block.
#[derive(Debug, Default, PartialEq)]
struct Word {
    id: String,
    event: String,
    data: String,
    comment: String,
}

impl Following {
    async fn begin(client: &Client, query: &str, last_event_id: Option<u64>) -> Self {
        let request = client.request("GET", &format!("/api/v1/events/stream{query}"));
        let request = match last_event_id {
            Some(id) => request.header("last-event-id", &id.to_string()),
            None => request,
        };
        let response = request.unread(Body::empty()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next block; `None` at the end of the stream.
    async fn word(&mut self) -> Option<Word> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let word = parse(block);
                self.text = rest.to_owned();
                return Some(word);
            }
            let frame = self.body.frame().await?;
            let piece = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next block that tells of something.
    async fn event(&mut self) -> Option<Word> {
        loop {
            let word = self.word().await?;
            if !word.event.is_empty() {
                return Some(word);
            }
        }
    }

    /// The kinds of the next events.
    async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(self.event().await.unwrap().event);
        }
        kinds
    }

    /// Whether nothing comes for a while.
    async fn is_quiet(&mut self) -> bool {
        let wait = Duration::from_millis(100);
        tokio::time::timeout(wait, self.event()).await.is_err()
    }
}

fn parse(block: &str) -> Word {
    let mut word = Word::default();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap();
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "id" => word.id = value,
            "event" => word.event = value,
            "data" => word.data = value,
            "" => word.comment = value,
            "retry" => {}
            other => panic!("unknown field {other}"),
        }
    }
    word
}

async fn task(client: &Client, id: &str) {
    let body = json!({"task_id": id, "task_type": "work"});
    assert_eq!(client.post("/api/v1/tasks", body).await.status, 201);
}

async fn list(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("/api/v1/events{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn seqs(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect()
}

/// The tasks that a page of events is about.
fn about(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap();
    let tasks = events.iter().map(|event| &event["payload"]["taskId"]);
    tasks.map(|id| id.as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_tells_what_happened_under_the_specifications_names() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let worker = server.agent("worker", &["work"]).await;
    task(&admin, "t1").await;
    let claimed: Value = worker
        .post("/api/v1/agents/worker/claim", json!({"max": 1}))
        .await
        .json();
    let lease = &claimed["tasks"][0]["lease"];
    let report = json!({"lease": lease, "progress": 40.0, "message": "half"});
    assert_eq!(
        worker
            .post("/api/v1/tasks/t1/progress", report)
            .await
            .status,
        200
    );

    let of = async |kind: &str| list(&admin, &format!("?type={kind}")).await["events"][0].clone();
    let registered = of("agent:register").await;
    assert_eq!(registered["payload"]["agentId"], "worker");
    assert_eq!(
        registered["payload"],
        json!({
            "agentId": "worker", "agentType": "tester", "capabilities": ["work"], "metadata": {}, "status": "active"
        })
    );
    let delegated = of("task:delegate").await;
    assert_eq!(delegated["type"], "task:delegate");
    assert_eq!(delegated["namespace"], "default");
    assert_eq!(delegated["timestamp"], "2026-01-02T03:04:05.678Z");
    for (name, value) in [
        ("taskId", "t1"),
        ("agentId", "worker"),
        ("taskType", "work"),
    ] {
        assert_eq!(delegated["payload"][name], value, "{name}");
    }
    let progressed = of("progress:update").await;
    let payload = &progressed["payload"];
    assert_eq!(
        (&payload["taskId"], &payload["progress"]),
        (&json!("t1"), &json!(40.0))
    );
    assert_eq!(
        (&payload["status"], &payload["message"]),
        (&json!("running"), &json!("half"))
    );
    assert!(!progressed.to_string().contains(lease.as_str().unwrap()));
}

#[tokio::test]
async fn a_list_is_read_on_from_where_it_ended() {
    let server = TestServer::new().await;
    let admin = server.admin();
    for n in 0..5 {
        task(&admin, &format!("t{n}")).await;
    }
    let first = list(&admin, "?limit=3").await;
    assert_eq!(
        (seqs(&first), &first["has_more"]),
        (vec![1, 2, 3], &json!(true))
    );
    assert_eq!(
        (&first["next_after"], &first["last_seq"]),
        (&json!(3), &json!(5))
    );
    let rest = list(&admin, "?limit=3&after=3").await;
    assert_eq!(
        (seqs(&rest), &rest["has_more"]),
        (vec![4, 5], &json!(false))
    );
    let none = list(&admin, "?after=5").await;
    assert_eq!((seqs(&none), &none["next_after"]), (vec![], &json!(5)));
    assert_eq!(none.get("reset"), None);
    let one = list(&admin, "?task_id=t3").await;
    assert_eq!((seqs(&one), &one["next_after"]), (vec![4], &json!(5)));
}

#[tokio::test]
async fn a_reader_from_a_future_that_never_was_is_told_and_given_everything() {
    let server = TestServer::new().await;
    let admin = server.admin();
    task(&admin, "t1").await;
    let page = list(&admin, "?after=99").await;
    assert_eq!((seqs(&page), &page["reset"]), (vec![1], &json!(true)));
    assert_eq!(page["next_after"], 1);
}

#[tokio::test]
async fn wrong_questions_are_refused_with_their_place() {
    let server = TestServer::new().await;
    let admin = server.admin();
    for (path, pointer) in [
        ("/api/v1/events?type=nothing:", "/type"),
        ("/api/v1/events?after=-1", "/after"),
        ("/api/v1/events?limit=501", "/limit"),
        ("/api/v1/events?task_id=..", "/task_id"),
        ("/api/v1/events/stream?type=x", "/type"),
        ("/api/v1/events/stream?limit=5", "/limit"),
    ] {
        let problem = admin.get(path).await.problem("validation");
        assert_eq!(problem.errors[0].pointer, pointer, "{path}");
    }
    let request = admin.request("GET", "/api/v1/events/stream");
    let problem = request
        .header("last-event-id", "x")
        .empty()
        .await
        .problem("validation");
    assert_eq!(problem.errors[0].pointer, "/Last-Event-ID");
}

#[tokio::test]
async fn a_follower_hears_what_happens_from_now_on() {
    let server = TestServer::new().await;
    let admin = server.admin();
    task(&admin, "before").await;
    let mut following = Following::begin(&admin, "", None).await;
    let greeting = following.word().await.unwrap();
    assert_eq!((greeting.id.as_str(), greeting.event.as_str()), ("1", ""));
    task(&admin, "after").await;
    let word = following.event().await.unwrap();
    assert_eq!(
        (word.id.as_str(), word.event.as_str()),
        ("2", "task:created")
    );
    let data: Value = serde_json::from_str(&word.data).unwrap();
    assert_eq!(data, list(&admin, "?after=1").await["events"][0]);
    assert!(following.is_quiet().await);
}

#[tokio::test]
async fn a_follower_that_comes_back_misses_nothing() {
    let server = TestServer::new().await;
    let admin = server.admin();
    for id in ["a", "b", "c"] {
        task(&admin, id).await;
    }
    let mut by_query = Following::begin(&admin, "?after=1", None).await;
    assert_eq!(by_query.event().await.unwrap().id, "2");
    assert_eq!(by_query.event().await.unwrap().id, "3");
    // Who reconnects sends the same address as at first, and the header is newer.
    let mut by_header = Following::begin(&admin, "?after=1", Some(2)).await;
    assert_eq!(by_header.event().await.unwrap().id, "3");
    let mut from_the_start = Following::begin(&admin, "?after=0", None).await;
    assert_eq!(from_the_start.event().await.unwrap().id, "1");
}

#[tokio::test]
async fn a_follower_hears_what_it_asked_for() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let mut following = Following::begin(&admin, "?type=template:", None).await;
    task(&admin, "t1").await;
    let body =
        json!({"template_id": "mine", "stages": [{"stage": 1, "name": "x", "task_type": "x"}]});
    assert_eq!(admin.post("/api/v1/templates", body).await.status, 201);
    assert_eq!(following.kinds(1).await, ["template:stored"]);
    assert!(following.is_quiet().await);
}

#[tokio::test]
async fn a_follower_that_is_ahead_of_the_store_is_told_to_begin_anew() {
    let server = TestServer::new().await;
    let admin = server.admin();
    task(&admin, "t1").await;
    let mut following = Following::begin(&admin, "", Some(99)).await;
    let word = following.event().await.unwrap();
    assert_eq!((word.event.as_str(), word.id.as_str()), ("reset", "1"));
    let data: Value = serde_json::from_str(&word.data).unwrap();
    assert_eq!(data["last_seq"], 1);
    task(&admin, "t2").await;
    assert_eq!(following.event().await.unwrap().id, "2");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_says_that_it_lives_and_how_far_it_is() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let mut following = Following::begin(&admin, "?type=key:", None).await;
    assert_eq!(following.word().await.unwrap().comment, "following");
    task(&admin, "t1").await;
    let begun = tokio::time::Instant::now();
    let ping = following.word().await.unwrap();
    assert_eq!((ping.comment.as_str(), ping.id.as_str()), ("ping", "1"));
    let waited = begun.elapsed().as_secs();
    assert!((14..=15).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_its_time_and_when_the_server_stops() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let mut old = Following::begin(&admin, "", None).await;
    let begun = tokio::time::Instant::now();
    while old.word().await.is_some() {}
    assert!(begun.elapsed() >= Duration::from_secs(3_600));

    let mut last = Following::begin(&admin, "", None).await;
    last.word().await.unwrap();
    server.app.stop.begin();
    assert_eq!(last.word().await, None);
}

#[tokio::test]
async fn a_slow_follower_gets_everything_and_holds_nobody_up() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let mut following = Following::begin(&admin, "", None).await;
    following.word().await.unwrap();
    for n in 0..2 {
        let tasks: Vec<Value> = (0..1_000)
            .map(|m| json!({"task_id": format!("t{n}.{m}"), "task_type": "work"}))
            .collect();
        let answer = admin
            .post("/api/v1/tasks/batch", json!({"tasks": tasks}))
            .await;
        assert_eq!(answer.status, 201);
    }
    for seq in 1..=2_000 {
        assert_eq!(following.event().await.unwrap().id, seq.to_string());
    }
}

#[tokio::test]
async fn events_are_found_by_time_and_text() {
    const HOUR_MS: u64 = 60 * 60_000;
    let server = TestServer::new().await;
    let admin = server.admin();
    let mut hours = Vec::new();
    for hour in 0..4 {
        hours.push(server.now());
        for n in 0..3 {
            task(&admin, &format!("hour{hour}.{n}")).await;
        }
        server.advance_ms(HOUR_MS);
    }
    let created = "type=task:created";
    let page = list(&admin, &format!("?{created}&happened_from={}", hours[2])).await;
    assert_eq!(
        about(&page),
        [
            "hour2.0", "hour2.1", "hour2.2", "hour3.0", "hour3.1", "hour3.2"
        ]
    );
    let day = format!(
        "?{created}&happened_from={}&happened_before={}",
        hours[1], hours[2]
    );
    let page = list(&admin, &day).await;
    assert_eq!(about(&page), ["hour1.0", "hour1.1", "hour1.2"]);
    assert_eq!(page["has_more"], false, "what comes later is not asked for");
    // Page by page, and beginning in the middle.
    let page = list(&admin, &format!("{day}&limit=2")).await;
    assert_eq!(about(&page), ["hour1.0", "hour1.1"]);
    assert_eq!(page["has_more"], true);
    let page = list(&admin, &format!("{day}&after={}", page["next_after"])).await;
    assert_eq!(about(&page), ["hour1.2"]);
    let page = list(
        &admin,
        &format!("?{created}&text=HOUR3&happened_from={}", hours[0]),
    )
    .await;
    assert_eq!(about(&page), ["hour3.0", "hour3.1", "hour3.2"]);
    let mut following = Following::begin(&admin, "?after=0&text=our2.1", None).await;
    let word = following.event().await.unwrap();
    let data: Value = serde_json::from_str(&word.data).unwrap();
    assert_eq!(data["payload"]["taskId"], "hour2.1");
    admin
        .get("/api/v1/events?happened_from=yesterday")
        .await
        .problem("validation");
}

#[tokio::test]
async fn events_of_another_namespace_are_not_there() {
    let server = TestServer::new().await;
    let admin = server.admin();
    let stranger = server.key("clinic", &["event:read", "task:create"]).await;
    task(&admin, "ours").await;
    let mut following = Following::begin(&stranger, "?after=0&type=task:", None).await;
    task(&stranger, "theirs").await;
    let word = following.event().await.unwrap();
    let data: Value = serde_json::from_str(&word.data).unwrap();
    assert_eq!(data["payload"]["taskId"], "theirs");
    assert_eq!(
        seqs(&list(&stranger, "?task_id=ours").await),
        Vec::<u64>::new()
    );
    let reader = server.key("default", &["task:read"]).await;
    reader.get("/api/v1/events").await.problem("forbidden");
    reader
        .get("/api/v1/events/stream")
        .await
        .problem("forbidden");
}
