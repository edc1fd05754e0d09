//! What this instance's commits did to tasks, minute by minute.
//!
//! Each instance counts its own and writes it down every second; whoever asks adds up what all wrote. These are
//! figures to look at: the last second of an instance that was killed is missing.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mcpanel_domain::{
    Namespace, Timestamp,
    event::Numbered,
    sample::{Activity, minute_of},
};
use mcpanel_store::{ACTIVITY_MINUTES_KEPT, Key, Result};
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc, oid::ObjectId};
use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use crate::{
    documents::{derived, fields::date, history, phase},
    error::unavailable,
    mongo::Mongo,
    project::{Change, Projection},
    read::Query,
    schema,
};

/// The counts of this instance.
pub struct Activities {
    mongo: Mongo,
    /// Who counts: another one after each start.
    instance: String,
    own: Mutex<Own>,
}

#[derive(Default)]
struct Own {
    minutes: BTreeMap<Key<Timestamp>, Activity>,
    /// Those that changed since they were written down.
    fresh: FxHashSet<Key<Timestamp>>,
}

impl Activities {
    /// Nothing happened yet.
    pub fn new(mongo: Mongo) -> Self {
        Self {
            mongo,
            instance: ObjectId::new().to_hex(),
            own: Mutex::new(Own::default()),
        }
    }

    /// What all instances saw happen in a minute.
    pub async fn of(&self, namespace: &Namespace, minute: Timestamp) -> Result<Activity> {
        let filter = doc! {
            "namespace": namespace.as_str(), "minute": date(minute),
            "instance": { "$ne": self.instance.as_str() },
        };
        let query = Query::of(schema::ACTIVITY, filter).by("by_minute");
        let others = self.mongo.find(&query).await?;
        let mut sum = {
            let own = self.own.lock();
            let key = (namespace.clone(), minute);
            own.minutes.get(&key).cloned().unwrap_or_default()
        };
        let read = |raw: &RawDocumentBuf, shelf: &_| history::decode_activity(raw, shelf);
        for other in self.mongo.decode(&others, read).await? {
            sum.absorb(&other);
        }
        Ok(sum)
    }

    /// Writes down what changed.
    pub async fn flush(&self) -> Result<()> {
        let changed: Vec<(Key<Timestamp>, Activity)> = {
            let mut own = self.own.lock();
            let fresh = std::mem::take(&mut own.fresh);
            fresh
                .into_iter()
                .filter_map(|key| own.minutes.get(&key).cloned().map(|was| (key, was)))
                .collect()
        };
        for ((namespace, minute), activity) in changed {
            let fields = history::encode_activity(&namespace, minute, &self.instance, &activity);
            let own = doc! {
                "namespace": namespace.as_str(), "minute": date(minute),
                "instance": self.instance.as_str(),
            };
            let written = self
                .mongo
                .raw(schema::ACTIVITY)
                .replace_one(own, fields.into_raw())
                .upsert(true)
                .await;
            if let Err(error) = written {
                self.own.lock().fresh.insert((namespace, minute));
                return Err(unavailable(&error));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Projection for Activities {
    async fn apply(&self, changes: &[Change]) {
        let mut own = self.own.lock();
        for change in changes {
            if let Change::Task { old, new, .. } = change
                && old.as_ref().is_none_or(|old| old.revision != new.revision)
            {
                let key = (new.namespace.clone(), minute_of(new.updated_at));
                own.minutes
                    .entry(key.clone())
                    .or_default()
                    .record(old.as_deref(), new);
                own.fresh.insert(key);
            }
        }
        // Old minutes are written down by then; namespaces share the bound.
        let newest = own.minutes.keys().map(|(_, minute)| *minute).max();
        if let Some(newest) = newest {
            let kept = u64::try_from(ACTIVITY_MINUTES_KEPT).unwrap_or(u64::MAX);
            let since = newest.minus_ms(kept * 60_000);
            let Own { minutes, fresh } = &mut *own;
            minutes.retain(|key, _| key.1 >= since || fresh.contains(key));
        }
    }

    async fn publish(&self, _: &[std::sync::Arc<Numbered>]) {}
}

/// The aggregation that adds up tasks that have not ended by type, from the index alone.
pub fn queues(namespace: &Namespace) -> Vec<Document> {
    let runs = doc! { "$eq": [{ "$substrCP": [format!("${}", derived::PHASE), 0, 5] }, "held/"] };
    vec![
        doc! { "$match": { derived::PHASE: phase::live_in(namespace) } },
        doc! { "$group": {
            "_id": "$task_type",
            "waiting": { "$sum": { "$cond": [&runs, 0, 1] } },
            "running": { "$sum": { "$cond": [&runs, 1, 0] } },
            "oldest": { "$min": { "$cond": [&runs, Bson::Null, "$created_at"] } },
        } },
        doc! { "$sort": { "_id": 1 } },
    ]
}
