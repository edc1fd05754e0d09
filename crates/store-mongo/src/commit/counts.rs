//! How a group's tasks move the counts.

use mcpanel_domain::task::{Status, Task};
use mongodb::bson::{RawDocumentBuf, rawdoc};
use rustc_hash::FxHashMap;

use crate::{documents::Fields, read::MILLI};

/// Shards of each count. A lane keeps to one of them, picked at random, and picks another when it met
/// somebody there, so that lanes of many instances rarely wait for each other.
pub const SHARDS: u32 = 64;

/// Differences of one counted thing.
#[derive(Default)]
struct Difference {
    by_status: [i64; 7],
    milli_percent: i64,
    /// Stage and run, for a pipeline's counts.
    stage: Option<(u16, u32)>,
}

/// Differences of a group.
#[derive(Default)]
pub struct Counts(FxHashMap<String, Difference>);

impl Counts {
    /// Takes in a change.
    pub fn moved(&mut self, old: Option<&Task>, new: &Task) {
        let before = old.map(Task::status);
        let after = new.status();
        let milli = milli(new) - old.map_or(0, self::milli);
        if before != Some(after) {
            self.add(format!("n/{}/", new.namespace), before, after, 0, None);
        }
        if let Some(place) = &new.place
            && (before != Some(after) || milli != 0)
        {
            let key = format!(
                "p/{}/{}/{}/{}/",
                new.namespace, place.pipeline_id, place.stage, place.run
            );
            let stage = Some((place.stage, place.run));
            self.add(key, before, after, milli, stage);
        }
    }

    fn add(
        &mut self,
        key: String,
        before: Option<Status>,
        after: Status,
        milli: i64,
        stage: Option<(u16, u32)>,
    ) {
        let difference = self.0.entry(key).or_default();
        if let Some(before) = before {
            difference.by_status[index(before)] -= 1;
        }
        difference.by_status[index(after)] += 1;
        difference.milli_percent += milli;
        difference.stage = stage;
    }

    /// The updates that add them to one shard.
    pub fn statements(&self, shard: u32) -> Vec<RawDocumentBuf> {
        let mut statements = Vec::with_capacity(self.0.len());
        for (key, difference) in &self.0 {
            let mut add = Fields::new();
            for (at, status) in Status::ALL.iter().enumerate() {
                if difference.by_status[at] != 0 {
                    add.put(
                        &format!("by_status.{}", status.as_str()),
                        difference.by_status[at],
                    );
                }
            }
            if difference.milli_percent != 0 {
                add.put("milli_percent", difference.milli_percent);
            }
            if add.is_empty() {
                continue;
            }
            let mut change = rawdoc! { "$inc": add.into_raw() };
            if let Some((stage, run)) = difference.stage {
                let place = rawdoc! { "stage": i32::from(stage), "run": i64::from(run) };
                change.append(mongodb::bson::raw::cstr!("$setOnInsert"), place);
            }
            statements.push(rawdoc! {
                "q": { "_id": format!("{key}{shard}") }, "u": change, "upsert": true,
            });
        }
        statements
    }
}

fn index(status: Status) -> usize {
    Status::ALL
        .iter()
        .position(|each| *each == status)
        .expect("ALL holds every status")
}

fn milli(task: &Task) -> i64 {
    (task.progress.percent * MILLI).round() as i64
}
