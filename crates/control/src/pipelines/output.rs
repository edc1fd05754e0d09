//! Gathering what came out of a pipeline.

use std::{collections::BTreeMap, sync::Arc};

use mcpanel_domain::{
    Payload, TaskId,
    pipeline::{self, Command, Pipeline},
};
use mcpanel_store::{Commit, Write};
use serde_json::value::RawValue;

use crate::{Error, Result, core::Core};

/// Results gathered into `output_data` up to this size, in bytes; more is read from the tasks.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Gathers the results of the last stages into the pipeline's output.
pub(super) async fn collect_output(core: &Core, pipeline: &Arc<Pipeline>) -> Result<bool> {
    let mut output: BTreeMap<&str, Vec<Box<RawValue>>> = BTreeMap::new();
    let mut size = 0;
    for stage in &pipeline.stages {
        let number = stage.definition.number;
        let is_last = !pipeline
            .stages
            .iter()
            .any(|other| other.definition.dependencies.contains(&number));
        if !is_last {
            continue;
        }
        let results = output.entry(stage.definition.name.as_str()).or_default();
        for index in 0..stage.total {
            let id = TaskId::of_stage(&pipeline.id, stage.run, number, index);
            let payloads = core
                .store
                .payloads(&pipeline.namespace, &[id])
                .await?
                .pop()
                .flatten();
            let Some(result) = payloads.and_then(|payloads| payloads.result) else {
                continue;
            };
            size += result.size_bytes();
            if size > OUTPUT_BYTES_MAX {
                break;
            }
            if let Ok(raw) = RawValue::from_string(result.as_str().to_owned()) {
                results.push(raw);
            }
        }
    }
    let output = Payload::of(&output).map_err(|error| {
        Error::Store(mcpanel_store::Error::Damaged {
            what: format!("the results of pipeline `{}`: {error}", pipeline.id),
        })
    })?;
    let decision = pipeline::decide(pipeline, Command::StoreOutput { output }, core.now())?;
    let Some(next) = decision.pipeline else {
        return Ok(false);
    };
    match core
        .commit(Commit::of(Write::Pipeline(Arc::new(next))))
        .await
    {
        Ok(()) => Ok(true),
        Err(error) if error.conflict().is_some() => Ok(true),
        Err(error) => Err(error),
    }
}
