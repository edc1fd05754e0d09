//! A server that answers as a test tells it, and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::PATIENCE;
use crate::{Client, Config, Credential};

/// The time of every document; nothing here depends on it.
const TIME: &str = "2026-01-02T03:04:05.678Z";

#[derive(Clone)]
pub(super) struct Fake {
    url: String,
    state: Arc<FakeState>,
}

#[derive(Default)]
struct FakeState {
    calls: Mutex<Vec<(String, Value)>>,
    offers: Mutex<VecDeque<Value>>,
    heartbeat: Mutex<(Vec<String>, Vec<String>)>,
    refusals: Mutex<HashMap<String, (u16, &'static str)>>,
    news: Notify,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let state = Arc::new(FakeState::default());
        let router = Router::new()
            .route("/api/v1/{*path}", axum::routing::any(answer))
            .with_state(state.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state }
    }

    pub(super) fn client(&self) -> Client {
        Client::new(Config::new(
            &self.url,
            Credential::ApiKey("mcp_test".to_owned()),
        ))
        .unwrap()
    }

    /// Makes a task that the next claim takes.
    pub(super) fn offer(&self, id: &str, parameters: Value) {
        self.state.offers.lock().push_back(task(id, &parameters));
        self.state.news.notify_waiters();
    }

    /// What heartbeats answer from now on.
    pub(super) fn set_heartbeat(&self, cancel: &[&str], lost: &[&str]) {
        let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        *self.state.heartbeat.lock() = (own(cancel), own(lost));
    }

    pub(super) fn refuse(&self, verb: &str, status: u16, code: &'static str) {
        self.state
            .refusals
            .lock()
            .insert(verb.to_owned(), (status, code));
    }

    pub(super) fn accept(&self, verb: &str) {
        self.state.refusals.lock().remove(verb);
    }

    pub(super) fn bodies(&self, verb: &str) -> Vec<Value> {
        let calls = self.state.calls.lock();
        calls
            .iter()
            .filter(|(each, _)| each == verb)
            .map(|(_, body)| body.clone())
            .collect()
    }

    pub(super) fn verbs(&self) -> Vec<String> {
        self.state
            .calls
            .lock()
            .iter()
            .map(|(verb, _)| verb.clone())
            .collect()
    }

    pub(super) async fn wait_for(&self, verb: &str, count: usize) {
        self.wait_until(|calls| calls.iter().filter(|(each, _)| each == verb).count() >= count)
            .await;
    }

    pub(super) async fn wait_until(&self, holds: impl Fn(&[(String, Value)]) -> bool) {
        let waited = async {
            while !holds(&self.state.calls.lock()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, waited).await.is_ok();
        assert!(in_time, "never happened; calls: {:?}", self.verbs());
    }
}

async fn answer(
    State(state): State<Arc<FakeState>>,
    method: Method,
    Path(path): Path<String>,
    body: Bytes,
) -> Response {
    let verb = match method {
        Method::DELETE => "delete".to_owned(),
        _ => path.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    state.calls.lock().push((verb.clone(), body.clone()));
    let refusal = state.refusals.lock().get(&verb).copied();
    if let Some((status, code)) = refusal {
        let problem = json!({
            "type": "about:blank", "title": "refused", "status": status, "detail": "by the test", "code": code,
        });
        return (StatusCode::from_u16(status).unwrap(), Json(problem)).into_response();
    }
    match verb.as_str() {
        "register" => (StatusCode::CREATED, Json(registered(&body))).into_response(),
        "claim" => Json(json!({ "tasks": claim(&state, &body).await })).into_response(),
        "heartbeat" => {
            let (cancel, lost) = state.heartbeat.lock().clone();
            Json(json!({
                "agent_id": "worker-1", "status": "active", "heartbeat_interval_ms": 40,
                "cancel": cancel, "lost": lost, "leases_expire_at": TIME,
            }))
            .into_response()
        }
        "delete" => StatusCode::NO_CONTENT.into_response(),
        "logs" => Json(json!({ "lines": [] })).into_response(),
        verb => {
            if verb == "complete" {
                state
                    .calls
                    .lock()
                    .push(("completed".to_owned(), Value::Null));
            }
            Json(task("t1", &json!({}))).into_response()
        }
    }
}

/// Up to `max` tasks; waits a little when there is none.
async fn claim(state: &FakeState, body: &Value) -> Vec<Value> {
    let max = body["max"].as_u64().unwrap_or(1) as usize;
    for _ in 0..20 {
        {
            let mut offers = state.offers.lock();
            let count = max.min(offers.len());
            if count > 0 {
                return offers.drain(..count).collect();
            }
        }
        let _ = tokio::time::timeout(Duration::from_millis(10), state.news.notified()).await;
    }
    Vec::new()
}

fn registered(body: &Value) -> Value {
    json!({
        "agent": {
            "agent_id": "worker-1", "namespace": "default", "name": "A worker", "type": "test",
            "capabilities": ["count"], "status": "active", "status_message": null, "admission": "open",
            "concurrency": body["concurrency"], "slots_in_use": 0, "session_id": "sess_1", "last_heartbeat": TIME,
            "registered_at": TIME, "updated_at": TIME, "metadata": {}, "permissions": [], "version": null,
            "endpoint_url": null, "health_check_url": null, "revision": 1,
        },
        "token": "a.b.c", "token_expires_at": "2026-02-02T03:04:05.678Z", "session_id": "sess_1",
        "heartbeat_interval_ms": 40, "lease_ttl_ms": 5000,
    })
}

fn task(id: &str, parameters: &Value) -> Value {
    json!({
        "task_id": id, "namespace": "default", "pipeline_id": null, "stage": null, "index": null,
        "task_type": "count", "status": "assigned", "assigned_agent_id": "worker-1", "agent_id": null,
        "capabilities": ["count"], "parameters": parameters, "result": null, "error": null, "retry_count": 0,
        "max_retries": 3, "retry_config": {}, "attempt": 1, "progress": 0.0, "message": null, "counters": {},
        "cancel_requested": false, "priority": 0, "dependencies": [], "run_at": null, "deadline": null,
        "timeout_ms": null, "metadata": {}, "created_by": "test", "created_at": TIME, "updated_at": TIME,
        "started_at": null, "completed_at": null, "revision": 2,
        "lease": format!("lease-{id}"), "lease_expires_at": TIME,
    })
}
