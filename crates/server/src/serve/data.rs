//! The data directory: secrets, the store, artifacts.
//!
//! ```text
//! <data>/admin.key, jwt.secret    the server's secrets
//! <data>/store/                   documents and events
//! <data>/artifacts/               the bytes of artifacts
//! ```

use std::{fs::DirBuilder, io, path::Path, sync::Arc};

use mcpanel_adapters::ArtifactFiles;
use mcpanel_guard::Secrets;
use mcpanel_store::Store;
use mcpanel_store_embedded::{EmbeddedStore, Options};

use super::{Settings, StartError};
use crate::env::SystemEnv;

/// What a data directory holds, in use by this process alone.
pub(super) struct Data {
    store: Arc<EmbeddedStore>,
    files: ArtifactFiles,
}

/// Opens the data directory, and makes what is missing.
pub(super) fn open(settings: &Settings) -> Result<(Data, Secrets), StartError> {
    let dir = &settings.data_dir;
    make(dir).map_err(|source| StartError::DataDir {
        path: dir.clone(),
        source,
    })?;
    let secrets = Secrets::load(dir, settings.secrets.clone(), settings.http.ip())?;
    let store = EmbeddedStore::open(dir.join("store"), Options::new(Arc::new(SystemEnv::now)))?;
    let files = ArtifactFiles::new(dir.join("artifacts"));
    Ok((Data { store, files }, secrets))
}

impl Data {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    pub(super) fn files(&self) -> ArtifactFiles {
        self.files.clone()
    }

    /// Writes what waits, and lets others use the directory.
    pub(super) async fn close(self) {
        self.store.close().await;
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
