//! The two ends of a copy: a data directory, or MongoDB.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use mcpanel_adapters::{ArtifactFiles, ArtifactStore, GridFs, folder};
use mcpanel_server::{
    env::SystemEnv,
    serve::{ARTIFACTS_FOLDER, STORE_FOLDER},
};
use mcpanel_store_embedded::{EmbeddedStore, Options};
use mcpanel_store_mongo::{MongoStore, OpenError, Purpose, Settings};
use mcpanel_transfer::End;

use crate::{
    Failure, Result, addresses,
    exit::{Exit, with_causes},
};

/// Where everything of an installation is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A data directory, as `serve --data` has it.
    Folder(PathBuf),
    /// MongoDB, as `serve --mongodb-uri` has it.
    MongoDb(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let text = addresses::read(text)?;
        Ok(
            match text.starts_with("mongodb://") || text.starts_with("mongodb+srv://") {
                true => Self::MongoDb(text),
                false => Self::Folder(text.into()),
            },
        )
    }
}

/// An end that is in use until it is closed.
pub struct Opened {
    /// What is moved out of it, or into it.
    pub end: End,
    store: Kind,
}

enum Kind {
    Folder(Arc<EmbeddedStore>),
    MongoDb(Arc<MongoStore>),
}

impl Place {
    /// Opens what is to be copied; it must be there.
    pub async fn open(&self, artifacts: Option<&Path>) -> Result<Opened> {
        if let Self::Folder(path) = self
            && !path.join(STORE_FOLDER).is_dir()
        {
            return Err(
                Failure::new(format!("there is no store in `{}`", path.display()))
                    .exit(Exit::NotFound)
                    .hint("give the folder that `mcpanel serve --data` was given"),
            );
        }
        self.open_or_make(artifacts).await
    }

    /// Opens where it is to go, which is made where it is missing.
    pub async fn open_or_make(&self, artifacts: Option<&Path>) -> Result<Opened> {
        match self {
            Self::Folder(path) => data_folder(path),
            Self::MongoDb(uri) => mongodb(uri, artifacts).await,
        }
    }
}

fn data_folder(path: &Path) -> Result<Opened> {
    folder::make_private(path).map_err(|error| {
        Failure::new(format!(
            "cannot use `{}` as a data directory: {error}",
            path.display()
        ))
    })?;
    let options = Options {
        // What is copied is compared whole; a server forgets what is too old for it later.
        events_kept: u64::MAX,
        ..Options::new(Arc::new(SystemEnv::now))
    };
    let store = EmbeddedStore::open(path.join(STORE_FOLDER), options).map_err(|error| {
        Failure::new(with_causes(&error)).hint("a copy needs the store for itself; stop its server")
    })?;
    Ok(Opened {
        end: End {
            store: store.clone(),
            files: ArtifactFiles::new(path.join(ARTIFACTS_FOLDER)).into(),
        },
        store: Kind::Folder(store),
    })
}

async fn mongodb(uri: &str, artifacts: Option<&Path>) -> Result<Opened> {
    let settings = Settings {
        purpose: Purpose::Copy,
        events_kept: u64::MAX,
        ..Settings::new(uri)
    };
    // Redis holds nothing that must be copied: servers fill it from MongoDB.
    let store = MongoStore::open(settings, None).await.map_err(refused)?;
    let files: ArtifactStore = match artifacts {
        Some(path) => ArtifactFiles::new(path.to_owned()).into(),
        None => GridFs::connect(uri)
            .await
            .map_err(|error| Failure::new(with_causes(&error)))?
            .into(),
    };
    Ok(Opened {
        end: End {
            store: store.clone(),
            files,
        },
        store: Kind::MongoDb(store),
    })
}

fn refused(error: OpenError) -> Failure {
    let failure = Failure::new(with_causes(&error));
    match error {
        OpenError::InUse { .. } => failure
            .exit(Exit::Conflict)
            .hint("a copy needs both stores for itself; nothing was copied"),
        _ => failure,
    }
}

impl Opened {
    /// Says so if an instance began to serve from it meanwhile.
    pub async fn still_alone(&self) -> Result<()> {
        let Kind::MongoDb(store) = &self.store else {
            return Ok(());
        };
        let serving = store.serving().await;
        let serving = serving.map_err(|error| Failure::new(with_causes(&error)))?;
        if serving.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = serving.iter().map(ToString::to_string).collect();
        Err(Failure::new(format!(
            "a server was started over MongoDB while it was copied: {}",
            told.join(", ")
        ))
        .exit(Exit::Conflict)
        .hint("stop it, empty the target and copy again"))
    }

    /// Writes what waits, and lets others use it.
    pub async fn close(self) {
        drop(self.end);
        match self.store {
            Kind::Folder(store) => store.close().await,
            Kind::MongoDb(store) => store.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_unless_it_says_mongodb() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        assert_eq!(place("mcpanel-data"), Place::Folder("mcpanel-data".into()));
        for uri in [
            "mongodb://a:1,b:2/panel?replicaSet=r",
            "mongodb+srv://cluster.example.org",
        ] {
            assert_eq!(place(uri), Place::MongoDb(uri.to_owned()));
        }
    }
}
