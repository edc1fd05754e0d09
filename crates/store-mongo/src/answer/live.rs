//! Which pipelines have live tasks, from an index that knows every live task.
//!
//! The answer takes a walk over all of them: milliseconds for thousands, a second for a million. Whoever asks wants to
//! find what a crash left, so where there are very many it is asked the less often the longer it takes.

use std::time::{Duration, Instant};

use mcpanel_domain::{Namespace, PipelineId};
use mcpanel_store::Result;
use mongodb::bson::doc;
use parking_lot::Mutex;

use super::sums;
use crate::{
    documents::{Reader, derived, phase},
    mongo::Mongo,
    schema,
};

/// Live tasks of pipelines among which a walk takes some 50 ms: it may be taken as often as anybody likes.
const FEW: u64 = 50_000;

/// Among more, a walk is followed by a rest of so many times its own length: it takes a twentieth of one core at most.
const REST: u32 = 20;

/// Pipelines with live tasks.
type Found = Vec<(Namespace, PipelineId)>;

/// The newest answer, while it is good enough.
#[derive(Default)]
pub struct LivePipelines(Mutex<Option<(Instant, Found)>>);

impl LivePipelines {
    /// Pipelines that have live tasks now, or had them a short while ago where there are very many.
    pub async fn find(&self, mongo: &Mongo) -> Result<Found> {
        if let Some((until, found)) = &*self.0.lock()
            && Instant::now() < *until
        {
            return Ok(found.clone());
        }
        let began = Instant::now();
        let (found, tasks) = walk(mongo).await?;
        let rest = match tasks {
            ..FEW => Duration::ZERO,
            _ => began.elapsed() * REST,
        };
        *self.0.lock() = Some((Instant::now() + rest, found.clone()));
        Ok(found)
    }
}

/// The pipelines, and how many tasks were walked over.
async fn walk(mongo: &Mongo) -> Result<(Found, u64)> {
    let all = doc! { derived::PHASE: { "$gte": "" }, "pipeline_id": { "$gte": "" } };
    let place = doc! { "phase": format!("${}", derived::PHASE), "pipeline": "$pipeline_id" };
    let steps = [
        doc! { "$match": all },
        doc! { "$group": { "_id": place, "tasks": { "$sum": 1 } } },
    ];
    let groups = sums(mongo, schema::TASKS, steps, "by_phase").await?;
    let mut found = Vec::with_capacity(groups.len());
    let mut tasks = 0;
    for group in &groups {
        let group = Reader::new(group)?;
        tasks += group.int::<u64>("tasks")?;
        let place = group.inner("_id")?;
        if let Some(namespace) = phase::namespace_in(place.text("phase")?)
            && let Ok(namespace) = Namespace::parse(namespace)
        {
            found.push((namespace, place.parsed("pipeline")?));
        }
    }
    found.sort();
    found.dedup();
    Ok((found, tasks))
}
