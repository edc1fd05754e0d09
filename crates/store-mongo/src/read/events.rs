//! Blocks of the event log.

use std::sync::Arc;

use mcpanel_domain::event::Numbered;
use mongodb::bson::{RawDocumentBuf, doc};

use super::Query;
use crate::{
    documents::{Reader, Unreadable, event},
    schema,
};

/// Events in one block: small enough that reading one for a single event does not hurt.
pub const BLOCK_EVENTS_MAX: usize = 200;

/// Numbered blocks that hold an event above `after`, oldest first.
pub fn after(after: i64, blocks: usize) -> Query {
    Query::of(schema::EVENT_BLOCKS, doc! { "last_seq": { "$gt": after } })
        .by("numbered")
        .sorted(doc! { "last_seq": 1 })
        .at_most(blocks)
}

/// The oldest numbered block, without its events.
pub fn oldest() -> Query {
    let mut query = after(0, 1);
    query.fields = Some(doc! { "_id": 0, "first_seq": 1 });
    query
}

/// The events of a numbered block.
pub fn numbered(block: &RawDocumentBuf) -> Result<Vec<Arc<Numbered>>, Unreadable> {
    let reader = Reader::new(block)?;
    let first: u64 = reader.int("first_seq")?;
    reader
        .inner_all("events")?
        .iter()
        .zip(first..)
        .map(|(inner, seq)| {
            Ok(Arc::new(Numbered {
                seq,
                event: event::decode(inner)?,
            }))
        })
        .collect()
}
