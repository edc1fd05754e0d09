//! What a server keeps, and where: alone in its data directory, or with others in MongoDB and Redis.
//!
//! ```text
//! <data>/admin.key, jwt.secret    the server's secrets, where none are given
//! <data>/store/                   documents and events     ┐ of a server that
//! <data>/artifacts/               the bytes of artifacts   ┘ runs alone
//! ```

use std::{
    path::Path,
    sync::{Arc, OnceLock, Weak},
};

use futures::FutureExt;
use mcpanel_adapters::{ArtifactFiles, ArtifactStore, GridFs, folder};
use mcpanel_control::Env;
use mcpanel_guard::Secrets;
use mcpanel_store::Store;
use mcpanel_store_embedded::{EmbeddedStore, Options};
use mcpanel_store_mongo::{
    MongoStore, Shared as Redis, SharedSettings,
    link::{self, Address},
    rates::Rates,
};

use super::{Settings, Shared, StartError};
use crate::{
    app::{LookAtPeers, LookAtRedis},
    env::{SharedEnv, SystemEnv},
    metrics::{self, LookAtStore},
    rates::{Limits, RateLimits},
};

/// Where documents and events are, in the data directory of a server that runs alone.
pub const STORE_FOLDER: &str = "store";

/// Where the bytes of artifacts are, beside it.
pub const ARTIFACTS_FOLDER: &str = "artifacts";

/// What a server keeps, opened.
pub(super) struct Data {
    store: Documents,
    files: ArtifactStore,
}

enum Documents {
    /// In use by this process alone.
    Embedded(Arc<EmbeddedStore>),
    /// In use by any number of instances.
    Shared(Arc<MongoStore>),
}

/// Opens it, and makes what is missing.
pub(super) async fn open(settings: &Settings) -> Result<(Data, Secrets), StartError> {
    let shared = settings.instance.shared.as_ref();
    if shared.is_none() {
        folder::make_private(&settings.data_dir).map_err(|source| StartError::DataDir {
            path: settings.data_dir.clone(),
            source,
        })?;
    }
    let secrets = Secrets::load(
        &settings.data_dir,
        settings.secrets.clone(),
        settings.most_public(),
    )?;
    let data = match shared {
        None => embedded(&settings.data_dir)?,
        Some(shared) => with_others(shared).await?,
    };
    Ok((data, secrets))
}

fn embedded(dir: &Path) -> Result<Data, StartError> {
    let store = EmbeddedStore::open(
        dir.join(STORE_FOLDER),
        Options::new(Arc::new(SystemEnv::now)),
    )?;
    Ok(Data {
        store: Documents::Embedded(store),
        files: ArtifactFiles::new(dir.join(ARTIFACTS_FOLDER)).into(),
    })
}

async fn with_others(shared: &Shared) -> Result<Data, StartError> {
    let uri = shared.mongodb_uri.reveal();
    advise(shared.redis_url.reveal()).await?;
    // Redis is reached first, so that the store finds it; its clock is the store's as soon as there is one.
    let opened: Arc<OnceLock<Weak<MongoStore>>> = Arc::default();
    let redis = Redis::open(SharedSettings {
        url: shared.redis_url.reveal().to_owned(),
        prefix: String::new(),
        clock: {
            let opened = opened.clone();
            Arc::new(move || match opened.get().and_then(Weak::upgrade) {
                Some(store) => store.now(),
                None => SystemEnv::now(),
            })
        },
    })
    .await?;
    let store = MongoStore::open(mcpanel_store_mongo::Settings::new(uri), Some(redis)).await?;
    // Nobody else knows of it, so it is empty.
    let _ = opened.set(Arc::downgrade(&store));
    let files = match &shared.artifacts {
        Some(dir) => ArtifactFiles::new(dir.clone()).into(),
        None => GridFs::connect(uri)
            .await
            .map_err(StartError::Artifacts)?
            .into(),
    };
    Ok(Data {
        store: Documents::Shared(store),
        files,
    })
}

/// Refuses a Redis that refuses us, and warns of what an operator should change about it.
async fn advise(url: &str) -> Result<(), StartError> {
    let address = Address::parse(url)?;
    link::admission(&address).await?;
    for advice in link::advice(&address).await {
        tracing::warn!(redis = advice.node, "{}", advice.text);
    }
    Ok(())
}

impl Data {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        match &self.store {
            Documents::Embedded(store) => store.clone(),
            Documents::Shared(store) => store.clone(),
        }
    }

    /// Looks at Redis, where there is one.
    pub(super) fn redis(&self) -> Option<LookAtRedis> {
        match &self.store {
            Documents::Embedded(_) => None,
            Documents::Shared(store) => {
                let redis = store.shared()?.clone();
                Some(Arc::new(move || redis.health()))
            }
        }
    }

    /// Looks at the other instances, where they share a Redis.
    pub(super) fn peers(&self) -> Option<LookAtPeers> {
        match &self.store {
            Documents::Embedded(_) => None,
            Documents::Shared(store) => {
                let redis = store.shared()?.clone();
                Some(Arc::new(move || {
                    let redis = redis.clone();
                    async move { redis.peers().await.ok() }.boxed()
                }))
            }
        }
    }

    /// Looks at the store, where instances share one.
    pub(super) fn figures(&self) -> Option<LookAtStore> {
        match &self.store {
            Documents::Embedded(_) => None,
            Documents::Shared(store) => Some(metrics::of_store(store)),
        }
    }

    /// Limits callers: as was asked for, else generously among instances, and not at all where one runs alone.
    pub(super) fn rates(&self, asked: Option<Limits>) -> RateLimits {
        match &self.store {
            Documents::Embedded(_) => RateLimits::new(asked.unwrap_or(Limits::OFF), Rates::alone()),
            Documents::Shared(store) => {
                let rates = store
                    .shared()
                    .map_or_else(Rates::alone, |redis| redis.rates());
                RateLimits::new(asked.unwrap_or_default(), rates)
            }
        }
    }

    pub(super) fn files(&self) -> ArtifactStore {
        self.files.clone()
    }

    /// The world outside. Instances that share a store share its clock.
    pub(super) fn env(&self) -> Arc<dyn Env> {
        match &self.store {
            Documents::Embedded(_) => Arc::new(SystemEnv),
            Documents::Shared(store) => {
                let store = store.clone();
                Arc::new(SharedEnv::new(Arc::new(move || store.now())))
            }
        }
    }

    /// Writes what waits, and lets others use what this process alone used.
    pub(super) async fn close(self) {
        match self.store {
            Documents::Embedded(store) => store.close().await,
            Documents::Shared(store) => store.close().await,
        }
    }
}
