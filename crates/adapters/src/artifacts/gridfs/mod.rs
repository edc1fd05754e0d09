//! Artifacts' bytes in MongoDB, for instances that share no disk.
//!
//! ```text
//! artifact_bytes.files     {_id, length, chunkSize, uploadDate, filename: "<namespace>/<id>", metadata}
//! artifact_bytes.chunks    {_id, files_id, n, data}
//! artifact_bytes.drafts    {_id, touched_at, condemned}: bytes that are still coming, or about to go
//! ```
//!
//! The first two are what every MongoDB tool knows as GridFS, so `mongofiles --prefix artifact_bytes` lists and fetches
//! them. The third is ours: it names what a crash would leave behind, so that a sweep finds that without reading all
//! chunks. An upload enters itself there before its first chunk, a removal before its first deletion.
//!
//! Everything is written with majority and journal: an artifact that is acknowledged outlives the loss of the primary.

mod draft;
mod read;
mod sweep;

#[cfg(test)]
mod tests;

use std::time::SystemTime;

pub use draft::Draft;
use mcpanel_domain::{ArtifactId, Namespace};
use mongodb::{
    Client, Collection, Database, IndexModel,
    bson::{DateTime, Document, doc, oid::ObjectId},
    options::{
        Acknowledgment, ClientOptions, DatabaseOptions, IndexOptions, ReadConcern, WriteConcern,
    },
};
pub use read::Reader;

use super::{ARTIFACT_BYTES_MAX, Error, ORPHAN_AGE, Swept, blocking, gather};

/// The first part of the collections' names.
const BUCKET: &str = "artifact_bytes";
/// The database when the connection string names none.
const DATABASE: &str = "mcpanel";
/// Bytes of a chunk: what MongoDB's own tools use, so that a chunk and its index entry fit 256 KiB.
const CHUNK_BYTES: usize = 255 * 1024;
/// Connections for bytes, beside those of the store. Each upload and download uses one at a time, for moments.
const CONNECTIONS_MAX: u32 = 16;
/// The field of a draft that a sweep is about to remove.
const CONDEMNED: &str = "condemned";
/// What MongoDB answers when a unique index refuses a document.
const DUPLICATE_KEY: i32 = 11_000;

/// A place for the bytes of artifacts in MongoDB; cheap to clone.
#[derive(Debug, Clone)]
pub struct GridFs {
    files: Collection<Document>,
    chunks: Collection<Document>,
    drafts: Collection<Document>,
    bytes_max: u64,
}

impl GridFs {
    /// Connects, and makes the indexes that are missing. Any number of instances may do so at once.
    pub async fn connect(uri: &str) -> Result<Self, Error> {
        let mut options = ClientOptions::parse(uri)
            .await
            .map_err(Error::database("read the connection string"))?;
        options.max_pool_size = Some(options.max_pool_size.unwrap_or(CONNECTIONS_MAX));
        options.app_name = Some("mcpanel artifacts".to_owned());
        let client =
            Client::with_options(options).map_err(Error::database("use the connection string"))?;
        let name = client.default_database().map_or_else(
            || DATABASE.to_owned(),
            |database| database.name().to_owned(),
        );
        let durable = WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .build();
        let options = DatabaseOptions::builder()
            .write_concern(durable)
            .read_concern(ReadConcern::majority())
            .build();
        let bucket = Self::in_database(&client.database_with_options(&name, options));
        bucket.index().await?;
        Ok(bucket)
    }

    fn in_database(database: &Database) -> Self {
        let part = |name: &str| database.collection(&format!("{BUCKET}.{name}"));
        Self {
            files: part("files"),
            chunks: part("chunks"),
            drafts: part("drafts"),
            bytes_max: ARTIFACT_BYTES_MAX,
        }
    }

    async fn index(&self) -> Result<(), Error> {
        let unique = |keys| {
            let options = IndexOptions::builder().unique(true).build();
            IndexModel::builder().keys(keys).options(options).build()
        };
        let failed = "make the indexes";
        // One file for each artifact, whoever stores it.
        let by_name = unique(doc! { "filename": 1 });
        let by_file = unique(doc! { "files_id": 1, "n": 1 });
        let by_age = IndexModel::builder().keys(doc! { "touched_at": 1 }).build();
        let (files, chunks, drafts) = futures::join!(
            self.files.create_index(by_name).into_future(),
            self.chunks.create_index(by_file).into_future(),
            self.drafts.create_index(by_age).into_future(),
        );
        files.map_err(Error::database(failed))?;
        chunks.map_err(Error::database(failed))?;
        drafts.map_err(Error::database(failed))?;
        Ok(())
    }

    /// The same with another bound for one artifact, in bytes.
    #[must_use]
    pub fn with_bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// Most bytes of one artifact.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Removes the bytes of an artifact; tells whether there were any.
    pub async fn remove(&self, namespace: &Namespace, id: &ArtifactId) -> Result<bool, Error> {
        let wanted = doc! { "filename": file_name(namespace, id) };
        let found = self.files.find_one(wanted).await;
        match file_id(found.map_err(Error::database("find an artifact"))?.as_ref()) {
            Some(file) => self.remove_file(file).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Removes a file: from here on a crash leaves a draft that a sweep finds.
    async fn remove_file(&self, file: ObjectId) -> Result<(), Error> {
        self.touch(file).await?;
        self.files
            .delete_one(doc! { "_id": file })
            .await
            .map_err(Error::database("remove an artifact"))?;
        self.remove_draft(file).await
    }

    /// Removes the chunks of what is no file, and then the memory of it.
    async fn remove_draft(&self, file: ObjectId) -> Result<(), Error> {
        self.chunks
            .delete_many(doc! { "files_id": file })
            .await
            .map_err(Error::database("remove chunks"))?;
        self.forget_draft(file).await
    }

    async fn forget_draft(&self, file: ObjectId) -> Result<(), Error> {
        self.drafts
            .delete_one(doc! { "_id": file })
            .await
            .map(drop)
            .map_err(Error::database("remove a draft"))
    }

    /// Notes that somebody works on this file now.
    async fn touch(&self, file: ObjectId) -> Result<(), Error> {
        self.drafts
            .update_one(
                // A condemned one does not match, and cannot be made a second time: so this fails.
                doc! { "_id": file, CONDEMNED: { "$exists": false } },
                doc! { "$set": { "touched_at": DateTime::from_system_time(SystemTime::now()) } },
            )
            .upsert(true)
            .await
            .map(drop)
            .map_err(Error::database("note a draft"))
    }
}

/// What the file of an artifact is called. Neither part can hold a slash, so no two artifacts share a name.
fn file_name(namespace: &Namespace, id: &ArtifactId) -> String {
    format!("{namespace}/{id}")
}

/// The id of a document of `files` or `drafts`.
fn file_id(document: Option<&Document>) -> Option<ObjectId> {
    document.and_then(|document| document.get_object_id("_id").ok())
}

/// Whether a unique index refused a document.
fn is_duplicate(error: &mongodb::error::Error) -> bool {
    use mongodb::error::{ErrorKind, WriteFailure};
    matches!(
        error.kind.as_ref(),
        ErrorKind::Write(WriteFailure::WriteError(error)) if error.code == DUPLICATE_KEY
    )
}
