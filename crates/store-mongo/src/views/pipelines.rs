//! `pipeline:{pipeline_id}:progress` and `pipeline:{pipeline_id}:stage:{stage}:status`.

use mcpanel_domain::{Namespace, pipeline::Facts};

use super::{Interrupted, Writes};
use crate::{keys::Keys, queue::Move, source::Source};

/// How long the keys of a pipeline that ended stay, in seconds: a day.
const ENDED_KEPT_SECONDS: u64 = 24 * 3_600;

pub(super) async fn show(
    keys: &Keys,
    source: &dyn Source,
    namespace: &Namespace,
    moves: &[Move],
    writes: &mut Writes,
) -> Result<(), Interrupted> {
    for each in moves {
        let Move::Pipeline(id) = each else { continue };
        let Some((pipeline, stages)) = source.pipeline(namespace, id).await? else {
            continue;
        };
        let facts = Facts {
            stages,
            ..Facts::default()
        };
        let ended = pipeline.status.is_terminal();
        let mut set = |key: &str, value: &str| {
            writes.push(key, "SET", |command| {
                command.arg(value);
                if ended {
                    command.arg("EX").arg(ENDED_KEPT_SECONDS);
                }
            });
        };
        let progress = percent(pipeline.progress(&facts));
        set(&keys.pipeline_progress(namespace, id), &progress);
        for stage in &pipeline.stages {
            let key = keys.stage_status(namespace, id, stage.definition.number);
            set(&key, stage.status.as_str());
        }
    }
    Ok(())
}

/// A percentage with at most one digit behind the point, cut and not rounded: 100 means done.
fn percent(value: f64) -> String {
    format!("{}", (value * 10.0).floor() / 10.0)
}
