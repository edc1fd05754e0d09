//! One question.

use std::time::Duration;

use mongodb::bson::{Document, doc};

/// A find: what, in which order, how much of it, by which index.
#[derive(Debug, Clone)]
pub struct Query {
    /// Where.
    pub collection: &'static str,
    /// Which documents.
    pub filter: Document,
    /// In which order.
    pub sort: Document,
    /// Which of their fields; all when none are named.
    pub fields: Option<Document>,
    /// The index to use, where only one makes sense.
    pub hint: Option<&'static str>,
    /// At most so many; zero for all.
    pub limit: i64,
}

impl Query {
    /// A read that takes longer is stopped by the server: callers have given up by then.
    pub const MAX_TIME: Duration = Duration::from_secs(20);

    /// All documents that match.
    pub fn of(collection: &'static str, filter: Document) -> Self {
        Self {
            collection,
            filter,
            sort: Document::new(),
            fields: None,
            hint: None,
            limit: 0,
        }
    }

    /// The same by this index.
    #[must_use]
    pub fn by(mut self, index: &'static str) -> Self {
        self.hint = Some(index);
        self
    }

    /// The same in this order.
    #[must_use]
    pub fn sorted(mut self, sort: Document) -> Self {
        self.sort = sort;
        self
    }

    /// The same with these fields only.
    #[must_use]
    pub fn only(mut self, fields: &[&str]) -> Self {
        let mut projection = doc! { "_id": 0 };
        for field in fields {
            projection.insert(*field, 1);
        }
        self.fields = Some(projection);
        self
    }

    /// The same without these fields.
    #[must_use]
    pub fn without(mut self, fields: &[&str]) -> Self {
        let mut projection = doc! { "_id": 0 };
        for field in fields {
            projection.insert(*field, 0);
        }
        self.fields = Some(projection);
        self
    }

    /// The same, at most so many.
    #[must_use]
    pub fn at_most(mut self, limit: usize) -> Self {
        self.limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self
    }
}
