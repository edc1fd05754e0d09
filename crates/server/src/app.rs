//! What handlers share: the business layer, identity, and where artifacts' bytes are.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mcpanel_adapters::ArtifactStore;
use mcpanel_control::{Control, Env, Idempotency, Scope};
use mcpanel_dashboard::Environment;
use mcpanel_domain::{AgentId, KeyId, Namespace, SessionId, Timestamp, key::ApiKey};
use mcpanel_guard::{KeyDigest, Principal, Secrets};
use mcpanel_store::Store;

use crate::{
    auth::{Authenticator, Directory},
    claims::Waiting,
    error::ApiResult,
    extract::IdempotencyKey,
    follow::Followers,
    metrics::{LookAtStore, Requests},
    mount::BasePath,
    rates::RateLimits,
    stop::Stop,
    transfer::Transfers,
};

/// Tells how the way to Redis is.
pub type LookAtRedis = Arc<dyn Fn() -> mcpanel_store_mongo::link::LinkHealth + Send + Sync>;

/// Tells which instances there are; nothing while Redis, where they show themselves, is away.
pub type LookAtPeers = Arc<
    dyn Fn() -> futures::future::BoxFuture<'static, Option<mcpanel_store_mongo::shared::Peers>>
        + Send
        + Sync,
>;

/// The state of the router; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The business layer.
    pub control: Control,
    /// Checks and issues credentials.
    pub authenticator: Arc<Authenticator>,
    /// Where artifacts' bytes are.
    pub files: Arc<ArtifactStore>,
    /// Looks at Redis, where instances share one.
    pub redis: Option<LookAtRedis>,
    /// Looks at the other instances, where they share a Redis.
    pub peers: Option<LookAtPeers>,
    /// Looks at the store, where instances share one.
    pub figures: Option<LookAtStore>,
    /// What happened on the sockets of this process, where it serves any.
    pub sockets: Arc<OnceLock<Arc<mcpanel_realtime::Figures>>>,
    /// How many calls callers may make.
    pub rates: RateLimits,
    /// Where this server stands, if it says so.
    pub environment: Option<Environment>,
    /// The path below which it is found, where it shares a host.
    pub base: Option<BasePath>,
    /// The requests that were answered.
    pub(crate) requests: Requests,
    /// The world outside.
    pub env: Arc<dyn Env>,
    /// When this process began to serve.
    pub started_at: Timestamp,
    /// The claims that wait for work.
    pub waiting: Waiting,
    /// The streams of events there are.
    pub followers: Followers,
    /// The uploads and downloads under way.
    pub transfers: Transfers,
    /// Whether the server is stopping.
    pub stop: Stop,
}

impl App {
    /// An application over `store`.
    pub fn new(
        store: Arc<dyn Store>,
        env: Arc<dyn Env>,
        secrets: &Secrets,
        files: impl Into<ArtifactStore>,
    ) -> Self {
        let control = Control::new(store.clone(), env.clone());
        let clock = {
            let env = env.clone();
            Arc::new(move || env.now())
        };
        let authenticator = Authenticator::new(secrets, Arc::new(Stored(store)), clock);
        Self {
            control,
            authenticator: Arc::new(authenticator),
            files: Arc::new(files.into()),
            redis: None,
            peers: None,
            figures: None,
            sockets: Arc::default(),
            rates: RateLimits::default(),
            environment: None,
            base: None,
            requests: Requests::default(),
            started_at: env.now(),
            waiting: Waiting::default(),
            followers: Followers::default(),
            transfers: Transfers::default(),
            stop: Stop::new(),
            env,
        }
    }

    /// The caller as the business layer knows it.
    pub fn scope(&self, principal: &Principal) -> Scope {
        let mut scope = Scope::new(principal.namespace.clone(), principal.actor());
        scope.agent = principal.agent().map(|(agent, _)| agent.clone());
        scope
    }
}

/// The idempotency key of a request, as the business layer takes it.
pub fn idempotency(key: Option<IdempotencyKey>) -> Option<Idempotency> {
    key.map(|key| Idempotency {
        key: key.key,
        fingerprint: key.fingerprint,
    })
}

/// Keys and sessions in the store.
struct Stored(Arc<dyn Store>);

#[async_trait]
impl Directory for Stored {
    async fn by_digest(&self, digest: &KeyDigest) -> ApiResult<Option<ApiKey>> {
        let key = self.0.key_by_hash(digest.as_bytes()).await;
        Ok(key
            .map_err(mcpanel_control::Error::Store)?
            .map(|key| (*key).clone()))
    }

    async fn by_id(&self, namespace: &Namespace, id: &KeyId) -> ApiResult<Option<ApiKey>> {
        let key = self.0.key(namespace, id).await;
        Ok(key
            .map_err(mcpanel_control::Error::Store)?
            .map(|key| (*key).clone()))
    }

    async fn session(
        &self,
        namespace: &Namespace,
        agent_id: &AgentId,
    ) -> ApiResult<Option<SessionId>> {
        let agent = self.0.agent(namespace, agent_id).await;
        Ok(agent
            .map_err(mcpanel_control::Error::Store)?
            .map(|agent| agent.session.id.clone()))
    }
}
