//! Documents whose time has come, by an index.
//!
//! A document's `due_at` follows from it and moves with it. One that is answered is not answered again by this
//! instance until it changes, is put off, or [`HELD`] has passed; other instances may see it too, and the
//! commits that follow are guarded.

use std::time::{Duration, Instant};

use mcpanel_domain::Timestamp;
use mcpanel_store::{Due, Result};
use mongodb::bson::{RawArrayBuf, RawDocumentBuf, doc, rawdoc};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    documents::{Reader, derived, fields::date},
    error::unavailable,
    mongo::Mongo,
    read::Query,
    schema,
};

/// After so long an answered document is answered again: whoever was told did not get to it.
const HELD: Duration = Duration::from_secs(15);

/// Most answered documents remembered; beyond it some are answered twice, which is harmless.
const HELD_MAX: usize = 20_000;

/// Timers.
pub struct Timers {
    mongo: Mongo,
    held: Mutex<FxHashMap<Due, Hold>>,
    /// Documents put off, to be written before the next question.
    put_off: Mutex<Vec<(Due, Timestamp)>>,
}

struct Hold {
    due_at: Timestamp,
    since: Instant,
}

impl Timers {
    /// None are held.
    pub fn new(mongo: Mongo) -> Self {
        Self {
            mongo,
            held: Mutex::new(FxHashMap::default()),
            put_off: Mutex::new(Vec::new()),
        }
    }

    /// See [`Store::due`](mcpanel_store::Store::due).
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        self.flush().await?;
        let many = limit.saturating_add(self.sweep());
        let come = doc! { "$lte": date(now) };
        let mut all = self.look(come, many).await?;
        all.sort();
        let mut held = self.held.lock();
        let mut due = Vec::new();
        for (due_at, each) in all {
            if due.len() >= limit {
                break;
            }
            if held.get(&each).is_some_and(|hold| hold.due_at == due_at) {
                continue;
            }
            if held.len() < HELD_MAX {
                let since = Instant::now();
                held.insert(each.clone(), Hold { due_at, since });
            }
            due.push(each);
        }
        Ok(due)
    }

    /// When [`Timers::due`] next has something to say.
    pub async fn next(&self) -> Result<Option<Timestamp>> {
        self.flush().await?;
        let many = self.sweep().saturating_add(1);
        let mut all = self.look(doc! { "$exists": true }, many).await?;
        all.sort();
        let held = self.held.lock();
        let free = all
            .into_iter()
            .find(|(due_at, each)| held.get(each).is_none_or(|hold| hold.due_at != *due_at));
        Ok(free.map(|(due_at, _)| due_at))
    }

    /// See [`Store::rearm`](mcpanel_store::Store::rearm).
    pub fn put_off(&self, due: &Due, at: Timestamp) {
        self.put_off.lock().push((due.clone(), at));
    }

    /// Writes down what was put off. Timers that were set meanwhile are only moved forward in time.
    pub async fn flush(&self) -> Result<()> {
        let put_off = std::mem::take(&mut *self.put_off.lock());
        if put_off.is_empty() {
            return Ok(());
        }
        for collection in [schema::TASKS, schema::AGENTS] {
            let statements: RawArrayBuf = put_off
                .iter()
                .filter_map(|(due, at)| self.statement(collection, due, *at))
                .collect();
            if statements.is_empty() {
                continue;
            }
            let command = rawdoc! { "update": collection, "updates": statements, "ordered": false };
            if let Err(error) = self.mongo.db().run_raw_command(command).await {
                self.put_off.lock().extend(put_off);
                return Err(unavailable(&error));
            }
        }
        let mut held = self.held.lock();
        for (due, _) in &put_off {
            held.remove(due);
        }
        Ok(())
    }

    fn statement(&self, collection: &str, due: &Due, at: Timestamp) -> Option<RawDocumentBuf> {
        let (of, field, namespace, id) = match due {
            Due::Task(namespace, id) => (schema::TASKS, "task_id", namespace, id.as_str()),
            Due::Agent(namespace, id) => (schema::AGENTS, "agent_id", namespace, id.as_str()),
        };
        if of != collection {
            return None;
        }
        let mut either = RawArrayBuf::new();
        either.push(rawdoc! { derived_due(): { "$gt": date(at) } });
        if let Some(hold) = self.held.lock().get(due) {
            either.push(rawdoc! { derived_due(): date(hold.due_at) });
        }
        let mut filter = crate::documents::Fields::new();
        filter.put("namespace", namespace.as_str());
        filter.put(field, id);
        filter.put("$or", either);
        Some(rawdoc! { "q": filter.into_raw(), "u": { "$set": { derived_due(): date(at) } } })
    }

    /// Forgets old holds; tells how many there are.
    fn sweep(&self) -> usize {
        let mut held = self.held.lock();
        held.retain(|_, hold| hold.since.elapsed() < HELD);
        held.len()
    }

    async fn look(
        &self,
        due_at: mongodb::bson::Document,
        many: usize,
    ) -> Result<Vec<(Timestamp, Due)>> {
        let mut all = Vec::new();
        for (collection, field) in [(schema::TASKS, "task_id"), (schema::AGENTS, "agent_id")] {
            let query = Query::of(collection, doc! { derived::DUE: due_at.clone() })
                .by("due")
                .sorted(doc! { derived::DUE: 1 })
                .only(&["namespace", field, derived::DUE])
                .at_most(many);
            for found in self.mongo.find(&query).await? {
                let reader = Reader::new(&found)?;
                let namespace = reader.parsed("namespace")?;
                let due = match collection {
                    schema::TASKS => Due::Task(namespace, reader.parsed(field)?),
                    _ => Due::Agent(namespace, reader.parsed(field)?),
                };
                all.push((reader.date(derived::DUE)?, due));
            }
        }
        Ok(all)
    }
}

/// The field's name, as raw documents take it.
fn derived_due() -> &'static mongodb::bson::raw::CStr {
    mongodb::bson::raw::cstr!("due_at")
}
