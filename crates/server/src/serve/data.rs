//! What a server keeps, and where: alone in its data directory, or with others in MongoDB and Redis.
//!
//! ```text
//! <data>/admin.key, jwt.secret    the server's secrets, where none are given
//! <data>/store/                   documents and events     ┐ of a server that
//! <data>/artifacts/               the bytes of artifacts   ┘ runs alone
//! ```

use std::{fs::DirBuilder, io, path::Path, sync::Arc};

use mcpanel_adapters::{ArtifactFiles, ArtifactStore};
use mcpanel_control::Env;
use mcpanel_guard::Secrets;
use mcpanel_store::Store;
use mcpanel_store_embedded::{EmbeddedStore, Options};

use super::{Settings, Shared, StartError};
use crate::env::SystemEnv;

/// What a server keeps, opened.
pub(super) struct Data {
    store: Documents,
    files: ArtifactStore,
}

enum Documents {
    /// In use by this process alone.
    Embedded(Arc<EmbeddedStore>),
}

/// Opens it, and makes what is missing.
pub(super) async fn open(settings: &Settings) -> Result<(Data, Secrets), StartError> {
    let shared = settings.instance.shared.as_ref();
    if shared.is_none() {
        make(&settings.data_dir).map_err(|source| StartError::DataDir {
            path: settings.data_dir.clone(),
            source,
        })?;
    }
    let secrets = Secrets::load(
        &settings.data_dir,
        settings.secrets.clone(),
        settings.http.ip(),
    )?;
    let data = match shared {
        None => embedded(&settings.data_dir)?,
        Some(shared) => with_others(shared).await?,
    };
    Ok((data, secrets))
}

fn embedded(dir: &Path) -> Result<Data, StartError> {
    let store = EmbeddedStore::open(dir.join("store"), Options::new(Arc::new(SystemEnv::now)))?;
    Ok(Data {
        store: Documents::Embedded(store),
        files: ArtifactFiles::new(dir.join("artifacts")).into(),
    })
}

async fn with_others(shared: &Shared) -> Result<Data, StartError> {
    let _ = (&shared.mongodb_uri, &shared.redis_url, &shared.artifacts);
    Err(StartError::NoSharedStore)
}

impl Data {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        match &self.store {
            Documents::Embedded(store) => store.clone(),
        }
    }

    pub(super) fn files(&self) -> ArtifactStore {
        self.files.clone()
    }

    /// The world outside. Instances that share a store share its clock.
    pub(super) fn env(&self) -> Arc<dyn Env> {
        match &self.store {
            Documents::Embedded(_) => Arc::new(SystemEnv),
        }
    }

    /// Writes what waits, and lets others use what this process alone used.
    pub(super) async fn close(self) {
        match self.store {
            Documents::Embedded(store) => store.close().await,
        }
    }
}

/// Makes the directory for its owner alone: it holds health data.
fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
