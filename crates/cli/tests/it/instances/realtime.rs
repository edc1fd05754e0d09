//! Events that are raised on one instance and heard on others.

use std::time::Duration;

use mcpanel_api::{TaskId, auth::TokenRequest};
use mcpanel_client::{
    Client, Config, Credential,
    socket::{Incoming, Socket},
};
use mcpanel_test_servers::{Instance, InstancePlan};
use serde_json::{Value, json};

use super::{ADMIN_KEY, JWT_SECRET, Shared, admin, create};

/// Longer than anything takes that happens at all.
const LONG: Duration = Duration::from_secs(60);

/// An instance that has Redis and the secret of tokens, and nothing else.
fn sockets_alone(shared: &Shared) -> Instance {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_mcpanel"));
    let mut plan = InstancePlan::new("sockets alone", binary)
        .with("REDIS_URL", &shared.redis)
        .with("JWT_SECRET", JWT_SECRET);
    plan.arguments = vec!["--role".into(), "realtime".into()];
    let instance = plan.start().unwrap();
    instance.listens_for_sockets().unwrap();
    instance
}

/// Somebody who watches a namespace.
async fn watch(instance: &Instance, credential: Credential) -> Socket {
    let socket = Socket::connect(&instance.sockets(), &credential)
        .await
        .unwrap();
    let _: Value = socket
        .call("subscribe", &json!({"room": "namespace"}))
        .await
        .unwrap();
    socket
}

/// Waits for the event that tells that this task was created.
async fn hears(socket: &mut Socket, id: &TaskId) -> Incoming {
    let heard = async {
        loop {
            let incoming = socket.next().await.expect("the socket stays open");
            if incoming.event == "task:created" && incoming.body.get().contains(id.as_str()) {
                return incoming;
            }
        }
    };
    tokio::time::timeout(LONG, heard)
        .await
        .expect("it is heard")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_instance_does_is_heard_on_all_sockets() {
    let Some(shared) = Shared::find(2) else {
        return;
    };
    let (one, other) = (shared.start("one"), shared.start("other"));
    let alone = sockets_alone(&shared);
    let api = admin(&one);
    let token = api
        .create_token(&TokenRequest::default())
        .await
        .unwrap()
        .token;
    let key = Credential::ApiKey(ADMIN_KEY.to_owned());
    let mut sockets = [
        watch(&one, key.clone()).await,
        watch(&other, key).await,
        watch(&alone, Credential::Token(token)).await,
    ];

    let created = create(&api, "work").await.unwrap();

    let mut heard = Vec::new();
    for socket in &mut sockets {
        let incoming = hears(socket, &created).await;
        heard.push(serde_json::from_str::<Value>(incoming.body.get()).unwrap());
    }
    assert_eq!(heard[0], heard[1], "the same event everywhere");
    assert_eq!(heard[0], heard[2], "from Redis alone, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_alone_let_in_tokens_and_no_agents() {
    let Some(shared) = Shared::find(3) else {
        return;
    };
    let one = shared.start("one");
    let alone = sockets_alone(&shared);
    // Keys are in MongoDB, which this one does not reach.
    let key = Credential::ApiKey(ADMIN_KEY.to_owned());
    let refused = Socket::connect(&alone.sockets(), &key).await;
    assert!(refused.is_err(), "an API key cannot be looked up here");
    let token = admin(&one).create_token(&TokenRequest::default()).await;
    let token = Credential::Token(token.unwrap().token);
    let watcher = watch(&alone, token.clone()).await;
    // It answers for itself to whoever watches machines, at the only port that it has.
    let at = format!("http://{}", alone.sockets());
    let machine = Client::new(Config::new(at.clone(), token)).unwrap();
    let figures = machine.metrics().await.unwrap();
    for line in [
        "mcpanel_sockets{kind=\"watcher\"} 1\n",
        "mcpanel_redis_up 1\n",
    ] {
        assert!(figures.contains(line), "{line} in\n{figures}");
    }
    let stranger = Credential::Token("not.a.token".to_owned());
    let stranger = Client::new(Config::new(at, stranger)).unwrap();
    let refused = stranger.metrics().await.unwrap_err().to_string();
    assert!(refused.contains("token"), "{refused}");
    let agent = json!({"name": "a", "type": "tester", "capabilities": ["work"]});
    let answer: Result<Value, _> = watcher.call("agent:register", &agent).await;
    assert!(
        answer.is_err(),
        "agents need an instance with the API: {answer:?}"
    );
}
