//! The event log.

use mcpanel_domain::{Namespace, Timestamp};
use mcpanel_store::{
    Result,
    query::{EventFilter, Events},
};

use crate::{
    documents::{Reader, fields::long},
    mongo::Mongo,
    read,
};

/// Blocks read at once: a page of events is in far fewer, unless every commit had only one.
const BLOCKS_MAX: usize = 500;

/// Number and time of the first event above `after`.
pub async fn event_time(mongo: &Mongo, after: u64) -> Result<Option<(u64, Timestamp)>> {
    let blocks = mongo.find(&read::blocks_after(long(after), 1)).await?;
    let Some(block) = blocks.first() else {
        return Ok(None);
    };
    let events = read::numbered(block)?;
    let first = events.into_iter().find(|event| event.seq > after);
    Ok(first.map(|first| (first.seq, first.event.at)))
}

/// Events with a number above `after`; `last` is the newest number known so far.
pub async fn events(
    mongo: &Mongo,
    namespace: &Namespace,
    filter: &EventFilter,
    after: u64,
    limit: usize,
    last: u64,
) -> Result<Events> {
    let blocks = mongo
        .find(&read::blocks_after(long(after), limit.min(BLOCKS_MAX)))
        .await?;
    let mut looked = Vec::new();
    for block in &blocks {
        if looked.len() >= limit {
            break;
        }
        looked.extend(
            read::numbered(block)?
                .into_iter()
                .filter(|event| event.seq > after),
        );
    }
    looked.truncate(limit);
    let scanned_to = looked.last().map_or(after, |event| event.seq);
    let last = looked.last().map_or(last, |event| last.max(event.seq));
    let oldest = mongo.find(&read::oldest_block()).await?;
    let first_kept = match oldest.first() {
        Some(block) => Reader::new(block)?.int("first_seq")?,
        None => last + 1,
    };
    looked.retain(|each| each.event.namespace == *namespace && filter.matches(each));
    Ok(Events {
        events: looked,
        scanned_to,
        last,
        first_kept,
    })
}
