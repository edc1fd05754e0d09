//! A server that also listens for sockets.

use std::{ops::Deref, time::Duration};

use mcpanel_client::{
    Credential,
    socket::{Incoming, Socket, SocketError},
};
use mcpanel_server::realtime::{self, Realtime, Settings};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use crate::support::{ADMIN_KEY, TestServer};

/// Longer than anything takes that happens at all.
const LONG: Duration = Duration::from_secs(60);

/// Longer than what happens takes, and not so long that tests of what does not happen are slow.
const SHORT: Duration = Duration::from_millis(250);

/// A server with sockets.
pub struct World {
    server: TestServer,
    pub address: String,
    pub realtime: Realtime,
    stop: watch::Sender<bool>,
    serving: JoinHandle<usize>,
}

/// A client on a socket.
pub struct Visitor(Socket);

impl World {
    pub async fn new() -> Self {
        // Quick, so that tests of deliveries that nobody answers are.
        let delivery_ms = 300;
        Self::with(Settings {
            delivery_ms,
            ..realtime::settings(Vec::new())
        })
        .await
    }

    pub async fn with(settings: Settings) -> Self {
        let server = TestServer::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let realtime = realtime::over(&server.app, settings);
        let (stop, stopping) = watch::channel(false);
        Self {
            server,
            address,
            serving: tokio::spawn(realtime.clone().serve(listener, stopping)),
            realtime,
            stop,
        }
    }

    /// A socket with this credential.
    pub async fn connect(&self, credential: Credential) -> Result<Visitor, SocketError> {
        Socket::connect(&self.address, &credential)
            .await
            .map(Visitor)
    }

    /// A socket of the administrator.
    pub async fn visitor(&self) -> Visitor {
        let key = Credential::ApiKey(ADMIN_KEY.to_owned());
        self.connect(key).await.unwrap()
    }

    /// A new API key: its id and secret.
    pub async fn new_key(&self, namespace: &str, permissions: &[&str]) -> (String, String) {
        let body = json!({"name": "a test's", "namespace": namespace, "permissions": permissions});
        let made = self.admin().post("/api/v1/keys", body).await.ok(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["key"]["key_id"]), text(&made["api_key"]))
    }

    /// A socket of the holder of a new key.
    pub async fn holder(&self, namespace: &str, permissions: &[&str]) -> Visitor {
        let (_, secret) = self.new_key(namespace, permissions).await;
        self.connect(Credential::ApiKey(secret)).await.unwrap()
    }

    /// An agent on a socket of its own, with its token.
    pub async fn socket_agent(&self, id: &str, capabilities: &[&str]) -> (Visitor, String) {
        let agent = self.visitor().await;
        let told = agent.register(id, capabilities).await;
        (agent, told["token"].as_str().unwrap().to_owned())
    }

    /// Waits until a task has this status.
    pub async fn until(&self, task: &str, status: &str) -> Value {
        let reached = async {
            loop {
                let seen = self.see(task).await;
                if seen["status"] == status {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONG, reached).await.expect("the status is reached")
    }

    /// Stops; tells how many connections had to be cut off.
    pub async fn stop(self) -> usize {
        self.stop.send_replace(true);
        self.serving.await.unwrap()
    }
}

impl Deref for World {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

impl Deref for Visitor {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

impl Visitor {
    /// What a call answers.
    pub async fn ask(&self, event: &str, body: Value) -> Value {
        self.0.call(event, &body).await.unwrap()
    }

    /// How a call is refused.
    pub async fn refused(&self, event: &str, body: Value) -> Value {
        match self.0.call::<Value>(event, &body).await {
            Err(SocketError::Problem(problem)) => serde_json::to_value(problem).unwrap(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub async fn register(&self, id: &str, capabilities: &[&str]) -> Value {
        let payload = json!({"agentId": id, "agentType": "bias-detector", "capabilities": capabilities, "metadata": {}});
        self.ask("agent:register", payload).await
    }

    pub async fn subscribe(&self, room: &str) -> Value {
        self.ask("subscribe", json!({"room": room})).await
    }

    /// The next event, however long it takes; `None` at the end.
    pub async fn next(&mut self) -> Option<Incoming> {
        self.0.next().await
    }

    /// The next event.
    pub async fn hear(&mut self) -> Incoming {
        let next = timeout(LONG, self.0.next()).await;
        next.expect("something comes").expect("the socket is open")
    }

    /// The next event of this name; others are passed over.
    pub async fn hear_of(&mut self, event: &str) -> Incoming {
        loop {
            let incoming = self.hear().await;
            if incoming.event == event {
                return incoming;
            }
        }
    }

    /// The body of the next event of this name.
    pub async fn told(&mut self, event: &str) -> Value {
        self.hear_of(event).await.read().unwrap()
    }

    /// Takes the next task that is pushed: its id and lease.
    pub async fn take(&mut self) -> (String, String) {
        let pushed = self.hear_of("task:delegate").await;
        self.0
            .acknowledge(&pushed, &json!({"accepted": true}))
            .await
            .unwrap();
        held(&pushed.read().unwrap())
    }

    /// Says that nothing comes.
    pub async fn hears_nothing(&mut self) {
        if let Ok(incoming) = timeout(SHORT, self.0.next()).await {
            panic!("{incoming:?}");
        }
    }

    /// Why the socket ended.
    pub async fn reason(&mut self) -> String {
        let reason: Value = self.told("disconnect:reason").await;
        let end = timeout(LONG, self.0.next()).await;
        assert!(end.expect("the socket ends").is_none());
        reason["code"].as_str().unwrap().to_owned()
    }

    /// Leaves, as a client that says so.
    pub async fn leave(self) {
        self.0.close().await;
    }
}

/// The id and lease of a pushed task.
pub fn held(pushed: &Value) -> (String, String) {
    let text = |field: &str| pushed["payload"][field].as_str().unwrap().to_owned();
    (text("taskId"), text("lease"))
}
