//! `mcpanel migrate`: bring what is stored up to this version, and start nothing.
//!
//! Starting a server does the same. Doing it before is for installations that want a new version's first start to be
//! quick, or to know beforehand that it will work.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use mcpanel_server::{env::SystemEnv, serve::STORE_FOLDER};
use mcpanel_store_embedded::{EmbeddedStore, Options};
use mcpanel_store_mongo::{MongoStore, Purpose};

use crate::{
    Failure, Result, addresses,
    arguments::data_folder,
    connect,
    exit::{Exit, with_causes},
    output,
};

/// Bring what is stored up to this version, and start nothing.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Where a server on this machine keeps its data; no server may use it meanwhile. Typed, it comes before MONGODB_URI;
    /// otherwise MCPANEL_DATA, then `mcpanel-data`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// MongoDB, which instances share, or `@FILE` with its address, instead of a data folder. Instances may go on meanwhile.
    #[arg(long, env = "MONGODB_URI", value_name = "URI", hide_env_values = true, value_parser = addresses::read)]
    mongodb_uri: Option<String>,
}

impl Migrate {
    /// Opens the store, which brings it up to date, and closes it.
    pub async fn execute(self) -> Result {
        // A variable that is set and empty counts as not set: compose files often do that.
        let uri = self.mongodb_uri.filter(|uri| !uri.trim().is_empty());
        if uri.is_some() && self.data.is_some() && connect::variable("MONGODB_URI")?.is_none() {
            return Err(Failure::usage(
                "`--data` and `--mongodb-uri` name two stores: one is brought up to date at a time",
            ));
        }
        if let (Some(uri), None) = (uri, &self.data) {
            let settings = mcpanel_store_mongo::Settings {
                purpose: Purpose::Migrate,
                ..mcpanel_store_mongo::Settings::new(uri.trim())
            };
            let store = MongoStore::open(settings, None)
                .await
                .map_err(|error| Failure::new(with_causes(&error)))?;
            store.close().await;
            output::say("the database is up to date");
            return Ok(Exit::Ok);
        }
        let data = self.data.unwrap_or_else(data_folder);
        let folder = data.join(STORE_FOLDER);
        let shown = data.display();
        if !folder.is_dir() {
            return Err(Failure::new(format!("there is no store in `{shown}`"))
                .exit(Exit::NotFound)
                .hint("name the data folder with `--data`; the first `mcpanel serve` makes one"));
        }
        let opened = tokio::task::spawn_blocking(move || {
            EmbeddedStore::open(folder, Options::new(Arc::new(SystemEnv::now)))
        });
        let store = opened
            .await
            .map_err(|error| Failure::new(format!("cannot open the store: {error}")))?
            .map_err(|error| Failure::new(with_causes(&error)))?;
        store.close().await;
        output::say(format_args!("the store in `{shown}` is up to date"));
        Ok(Exit::Ok)
    }
}
