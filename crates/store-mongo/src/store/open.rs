//! Coming up: connections, schema, and the parts in their order.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::MongoStore;
use crate::{
    activity::Activities,
    answer,
    cache::{Brief, Lasting},
    commit::Committer,
    error::OpenError,
    follow::Followers,
    mongo::Mongo,
    ready::Queue,
    sequence::Sequencer,
    settings::Settings,
    shared::{Ledger, Shared},
    source::Source,
    timers::Timers,
};

/// Versions of templates that are kept in memory.
const TEMPLATES_CACHED: usize = 1_000;

/// API keys that are kept in memory, and for how long each is believed: so long does a key that was revoked
/// through another instance still work.
const KEYS_CACHED: usize = 10_000;
const KEYS_BELIEVED: Duration = Duration::from_secs(1);

impl MongoStore {
    /// Connects, brings the schema up to date, and begins to work. With `shared`, claims and wake-ups go
    /// through Redis as long as it is there.
    pub async fn open(
        settings: Settings,
        shared: Option<Arc<Shared>>,
    ) -> std::result::Result<Arc<Self>, OpenError> {
        let mongo = Mongo::connect(&settings).await?;
        mongo.clock().synchronise(mongo.db()).await;
        let identity = answer::identity(&mongo)
            .await
            .map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let followers = Arc::new(Followers::default());
        let sequencer = Sequencer::new(mongo.clone(), followers.clone(), settings.events_kept)
            .await
            .map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let sequencer = Arc::new(sequencer);
        let queue = Arc::new(Queue::new(mongo.clone()));
        let activities = Arc::new(Activities::new(mongo.clone()));
        followers.add(queue.clone());
        followers.add(activities.clone());
        let key = answer::lease_key(&mongo)
            .await
            .map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let ledger = Arc::new(Ledger::new(shared.clone(), key));
        followers.add(ledger.clone());
        if let Some(shared) = &shared {
            followers.add(shared.clone());
        }
        let committer = Arc::new(Committer::new(mongo.clone(), sequencer.clone(), followers));
        let store = Arc::new(Self {
            timers: Arc::new(Timers::new(mongo.clone())),
            mongo,
            committer,
            sequencer,
            queue,
            activities,
            live_pipelines: answer::LivePipelines::default(),
            templates: match &shared {
                Some(shared) => shared.cache(format!("template:{identity}"), TEMPLATES_CACHED),
                None => Lasting::new("template", TEMPLATES_CACHED, None),
            },
            keys: Brief::new(KEYS_CACHED, KEYS_BELIEVED),
            first_kept: AtomicU64::new(0),
            shared,
            ledger,
            lanes: Mutex::new(JoinSet::new()),
            numbering: Mutex::new(JoinSet::new()),
            tasks: Mutex::new(JoinSet::new()),
        });
        store.begin(settings.lanes);
        if let Some(shared) = &store.shared {
            let own: Arc<dyn Source> = store.clone();
            shared.attach(Arc::downgrade(&own)).await;
        }
        Ok(store)
    }
}
