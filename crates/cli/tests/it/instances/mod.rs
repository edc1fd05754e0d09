//! Several instances over a real MongoDB and Redis. Without servers each test says that it was skipped.

mod copy;
mod credentials;
mod health;
mod limits;
mod migrate;
mod realtime;
mod together;

use std::{path::Path, time::Duration};

use mcpanel_api::{TaskId, task::NewTask};
use mcpanel_client::{Client, Config, Credential, IdempotencyKey};
use mcpanel_test_servers::{Instance, InstancePlan, MONGODB_URI, REDIS_URL, given};

/// Signs the tokens of all instances of a test.
pub const JWT_SECRET: &str = "instances of tests sign with this secret";

/// The administrator's key of all of them.
pub const ADMIN_KEY: &str = "mcp_instances_of_tests_administrator_0123456789";

/// What the instances of one test share: a database and a part of Redis of its own.
pub struct Shared {
    pub mongodb: String,
    pub redis: String,
}

impl Shared {
    /// Those of the test with this number, which is Redis' number of the part; 0 is everybody else's.
    pub fn find(number: u8) -> Option<Self> {
        let (mongodb, redis) = (given(MONGODB_URI)?, given(REDIS_URL)?);
        let database = format!("cli_{}_{number}", std::process::id());
        Some(Self {
            mongodb: mongodb.replacen("/?", &format!("/{database}?"), 1),
            redis: format!("{redis}/{number}"),
        })
    }

    /// An instance that is not started yet.
    pub fn plan(&self, name: &str) -> InstancePlan {
        let binary = Path::new(env!("CARGO_BIN_EXE_mcpanel"));
        InstancePlan::new(name, binary)
            .with("MONGODB_URI", &self.mongodb)
            .with("REDIS_URL", &self.redis)
            .with("JWT_SECRET", JWT_SECRET)
            .with("MCPANEL_ADMIN_KEY", ADMIN_KEY)
    }

    /// An instance that takes changes.
    pub fn start(&self, name: &str) -> Instance {
        let instance = self.plan(name).start().unwrap();
        instance.ready().unwrap();
        instance
    }
}

/// The administrator's client of an instance; it does not repeat itself.
pub fn admin(instance: &Instance) -> Client {
    client(instance, Credential::ApiKey(ADMIN_KEY.to_owned()))
}

/// A client of an instance with this credential.
pub fn client(instance: &Instance, credential: Credential) -> Client {
    let config = Config::new(instance.url(), credential);
    Client::new(config).unwrap().with_patience(Duration::ZERO)
}

/// Creates a task of this type.
pub async fn create(client: &Client, task_type: &str) -> mcpanel_client::Result<TaskId> {
    let task = NewTask::of_type(task_type.parse().unwrap());
    let key = IdempotencyKey::random();
    Ok(client.create_task(&task, &key).await?.task_id)
}
