//! One transaction: commands in a session, and what their answers mean.

use mongodb::{
    ClientSession, Database,
    bson::{Bson, Document, RawArrayBuf, RawDocumentBuf, doc, raw::cstr, rawdoc},
    error::{
        ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
    },
    options::{ReadConcern, TransactionOptions},
};
use std::time::{Duration, Instant};

use super::Failed;
use crate::{error, mongo, read::Query};

/// How long the server may take over one `commitTransaction`.
const COMMIT_TIME: Duration = Duration::from_secs(10);

/// How long an unknown outcome is asked after: longer than an election takes.
const OUTCOME_PATIENCE: Duration = Duration::from_secs(30);

/// A transaction that runs.
pub struct Txn<'a> {
    db: &'a Database,
    session: &'a mut ClientSession,
}

impl<'a> Txn<'a> {
    /// Begins one.
    pub async fn begin(db: &'a Database, session: &'a mut ClientSession) -> Result<Self, Failed> {
        let options = TransactionOptions::builder()
            .read_concern(ReadConcern::snapshot())
            .write_concern(mongo::durable())
            .max_commit_time(COMMIT_TIME)
            .build();
        session.start_transaction().with_options(options).await?;
        Ok(Self { db, session })
    }

    /// Inserts documents.
    pub async fn insert(
        &mut self,
        collection: &str,
        documents: Vec<RawDocumentBuf>,
    ) -> Result<(), Failed> {
        if documents.is_empty() {
            return Ok(());
        }
        let expected = documents.len();
        let command = bulk("insert", "documents", collection, documents);
        let answer = self.run(command).await?;
        self.expect(&answer, expected, "it is there already")
    }

    /// Runs update statements, which must find so many documents.
    pub async fn update(
        &mut self,
        collection: &str,
        statements: Vec<RawDocumentBuf>,
        expected: usize,
    ) -> Result<(), Failed> {
        if statements.is_empty() {
            return Ok(());
        }
        let answer = self.update_any(collection, statements).await?;
        self.expect(&answer, expected, "it is at another revision")
    }

    /// Runs update statements that may find any number of documents.
    pub async fn update_any(
        &mut self,
        collection: &str,
        statements: Vec<RawDocumentBuf>,
    ) -> Result<Document, Failed> {
        let command = bulk("update", "updates", collection, statements);
        let answer = self.run(command).await?;
        refuse_errors(&answer)?;
        Ok(answer)
    }

    /// Deletes by filter; each must find its document.
    pub async fn delete(
        &mut self,
        collection: &str,
        filters: Vec<RawDocumentBuf>,
    ) -> Result<(), Failed> {
        if filters.is_empty() {
            return Ok(());
        }
        let expected = filters.len();
        let statements = filters
            .into_iter()
            .map(|q| rawdoc! { "q": q, "limit": 1 })
            .collect();
        let answer = self
            .run(bulk("delete", "deletes", collection, statements))
            .await?;
        self.expect(&answer, expected, "it is at another revision")
    }

    /// Deletes whatever matches.
    pub async fn delete_any(&mut self, collection: &str, filter: Document) -> Result<(), Failed> {
        self.db
            .collection::<RawDocumentBuf>(collection)
            .delete_many(filter)
            .session(&mut *self.session)
            .await?;
        Ok(())
    }

    /// Changes one document and answers it as it is afterwards.
    pub async fn change_one(
        &mut self,
        collection: &str,
        filter: Document,
        change: Document,
    ) -> Result<Option<Document>, Failed> {
        let answer = self
            .run(
                RawDocumentBuf::try_from(&doc! {
                    "findAndModify": collection, "query": filter, "update": change, "new": true,
                    "upsert": collection == crate::schema::COUNTERS,
                })
                .map_err(|error| Failed::Refused(error.to_string()))?,
            )
            .await?;
        Ok(match answer.get("value") {
            Some(Bson::Document(value)) => Some(value.clone()),
            _ => None,
        })
    }

    /// Changes documents by the steps of a pipeline.
    pub async fn change_steps(
        &mut self,
        collection: &str,
        filter: Document,
        steps: Vec<Document>,
    ) -> Result<(), Failed> {
        self.db
            .collection::<RawDocumentBuf>(collection)
            .update_many(filter, steps)
            .session(&mut *self.session)
            .await?;
        Ok(())
    }

    /// Reads as of the transaction's beginning.
    pub async fn find(&mut self, query: &Query) -> Result<Vec<RawDocumentBuf>, Failed> {
        let collection = self.db.collection::<RawDocumentBuf>(query.collection);
        let mut find = collection
            .find(query.filter.clone())
            .sort(query.sort.clone())
            .limit(query.limit)
            .batch_size(100_000);
        if let Some(fields) = &query.fields {
            find = find.projection(fields.clone());
        }
        if let Some(hint) = query.hint {
            find = find.hint(mongodb::options::Hint::Name(hint.to_owned()));
        }
        let mut cursor = find.session(&mut *self.session).await?;
        let mut found = Vec::new();
        while let Some(next) = cursor.next(&mut *self.session).await {
            found.push(next?);
        }
        Ok(found)
    }

    /// Makes it durable. An outcome that got lost is asked after: the server remembers it.
    pub async fn commit(self) -> Result<(), Failed> {
        let began = Instant::now();
        loop {
            match self.session.commit_transaction().await {
                Ok(()) => return Ok(()),
                Err(error) if is_open(&error) => {
                    if began.elapsed() > OUTCOME_PATIENCE {
                        return Err(Failed::Unknown(error));
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives it up. The server forgets it by itself if it cannot be told.
    pub async fn abort(self) {
        if let Err(error) = self.session.abort_transaction().await {
            tracing::debug!(%error, "a transaction could not be given up, it will end by itself");
        }
    }

    async fn run(&mut self, command: RawDocumentBuf) -> Result<Document, Failed> {
        Ok(self
            .db
            .run_raw_command(command)
            .session(&mut *self.session)
            .await?)
    }

    fn expect(&self, answer: &Document, expected: usize, why: &'static str) -> Result<(), Failed> {
        refuse_errors(answer)?;
        let found = mongo::number(answer, "n").and_then(|n| usize::try_from(n).ok());
        if found == Some(expected) {
            Ok(())
        } else {
            Err(Failed::Raced(why))
        }
    }
}

/// Whether a commit may hold all the same. One that another instance interrupted ([`crate::sessions`]) may have been done
/// already; asked again, the server says so, or that there is no such transaction. One whose way to the majority was
/// interrupted is done, and comes as a failure of the write concern; where that met the answer that there is none, the
/// server does not vouch for it by the label.
fn is_open(error: &mongodb::error::Error) -> bool {
    let is_sure = error.contains_label(TRANSIENT_TRANSACTION_ERROR);
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
        || error::code(error) == Some(error::code::INTERRUPTED)
        || error::code(error) == Some(error::code::NO_SUCH_TRANSACTION) && !is_sure
        || matches!(
            error.kind.as_ref(),
            ErrorKind::Write(WriteFailure::WriteConcernError(_))
        )
}

/// A command with many statements or documents, in order, stopping at the first that fails.
fn bulk(command: &str, list: &str, collection: &str, items: Vec<RawDocumentBuf>) -> RawDocumentBuf {
    let mut fields = crate::documents::Fields::new();
    fields.put(command, collection);
    let items: RawArrayBuf = items.into_iter().collect();
    fields.put(list, items);
    let mut raw = fields.into_raw();
    raw.append(cstr!("ordered"), true);
    raw
}

fn refuse_errors(answer: &Document) -> Result<(), Failed> {
    let Ok(errors) = answer.get_array("writeErrors") else {
        return Ok(());
    };
    let Some(Bson::Document(first)) = errors.first() else {
        return Ok(());
    };
    match mongo::number(first, "code") {
        Some(code) if code == i64::from(error::code::DUPLICATE_KEY) => {
            Err(Failed::Raced("it is there already"))
        }
        Some(code) if code == i64::from(error::code::WRITE_CONFLICT) => {
            Err(Failed::Raced("another transaction wrote it"))
        }
        code => Err(Failed::Refused(format!(
            "MongoDB refused a document with code {}",
            code.unwrap_or_default()
        ))),
    }
}
