//! How many tasks stand where: shards, added up.

use std::collections::BTreeMap;

use mcpanel_domain::{Namespace, PipelineId, pipeline::StageCounts, task::Status};
use mongodb::bson::{RawDocumentBuf, doc};

use super::Query;
use crate::{
    documents::{Reader, Unreadable},
    schema,
};

/// Tasks by status, in the order of [`Status::ALL`]. A shard alone can be below zero: a task may be
/// counted in one and counted out in another.
pub type Statuses = [i64; 7];

/// The counts of one stage's run.
pub type StageTotals = BTreeMap<(u16, u32), (Statuses, i64)>;

/// Thousandths of a per cent, which add up without drift.
pub const MILLI: f64 = 1_000.0;

/// Shards of a namespace's counts.
pub fn of_namespace(namespace: &Namespace) -> Query {
    with_prefix(&format!("n/{namespace}/"))
}

/// Shards of a pipeline's counts.
pub fn of_pipeline(namespace: &Namespace, id: &PipelineId) -> Query {
    with_prefix(&format!("p/{namespace}/{id}/"))
}

/// All shards whose id begins with a text; `0` follows `/` in ASCII.
fn with_prefix(prefix: &str) -> Query {
    let end = format!("{}0", prefix.trim_end_matches('/'));
    Query::of(
        schema::TASK_COUNTS,
        doc! { "_id": { "$gte": prefix, "$lt": end } },
    )
}

/// Adds up the shards of a namespace.
pub fn totals(shards: &[RawDocumentBuf]) -> Result<[u64; 7], Unreadable> {
    let mut sum: Statuses = [0; 7];
    for shard in shards {
        add(&Reader::new(shard)?, &mut sum)?;
    }
    Ok(sum.map(|count| u64::try_from(count).unwrap_or(0)))
}

/// Adds up the shards of a pipeline, by stage and run.
pub fn stages(shards: &[RawDocumentBuf]) -> Result<Vec<StageCounts>, Unreadable> {
    let mut stages: StageTotals = BTreeMap::new();
    for shard in shards {
        let reader = Reader::new(shard)?;
        let key = (reader.int("stage")?, reader.int("run")?);
        let (sum, milli) = stages.entry(key).or_default();
        add(&reader, sum)?;
        *milli += reader.int_opt::<i64>("milli_percent")?.unwrap_or(0);
    }
    let counts = stages
        .into_iter()
        .map(|((stage, run), (sum, milli))| StageCounts {
            stage,
            run,
            by_status: sum.map(|count| u32::try_from(count).unwrap_or(0)),
            percent_sum: milli as f64 / MILLI,
        });
    // A run whose tasks were all counted out again is not one.
    Ok(counts.filter(|counts| counts.total() > 0).collect())
}

fn add(shard: &Reader<'_>, sum: &mut Statuses) -> Result<(), Unreadable> {
    let Some(counts) = shard.inner_opt("by_status")? else {
        return Ok(());
    };
    for (at, status) in Status::ALL.iter().enumerate() {
        sum[at] += counts.int_opt::<i64>(status.as_str())?.unwrap_or(0);
    }
    Ok(())
}
