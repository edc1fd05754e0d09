//! What is done after a commit. A failure here is written down and left to the reconcilers: the
//! change itself is durable and was rightly acknowledged.

use std::collections::BTreeSet;

use mcpanel_domain::{
    Namespace, PipelineId, TaskId,
    task::{Command, Effect},
};

use crate::{Result, core::Core, pipelines};

/// Performs the effects of committed task changes. Effects that come from them are performed too.
pub(crate) async fn perform(core: &Core, namespace: &Namespace, effects: Vec<Effect>) {
    let mut pipelines: BTreeSet<PipelineId> = BTreeSet::new();
    let mut open = effects;
    while let Some(effect) = open.pop() {
        match effect {
            Effect::AdvancePipeline(id) => {
                pipelines.insert(id);
            }
            Effect::CancelDependents(id) => match cancel_dependents(core, namespace, &id).await {
                Ok(more) => open.extend(more),
                Err(error) => {
                    tracing::warn!(task.id = %id, %error, "cannot cancel dependents yet; a sweep will");
                }
            },
        }
    }
    for id in pipelines {
        if let Err(error) = pipelines::advance(core, namespace, &id).await {
            tracing::warn!(pipeline.id = %id, %error, "cannot advance the pipeline yet; a sweep will");
        }
    }
}

async fn cancel_dependents(core: &Core, namespace: &Namespace, id: &TaskId) -> Result<Vec<Effect>> {
    let mut effects = Vec::new();
    for dependent in core.store.dependents(namespace, id).await? {
        let changed = core
            .change_task(namespace, None, &dependent, |_, _| {
                Ok(Command::CancelForDependency {
                    dependency: id.clone(),
                })
            })
            .await?;
        effects.extend(changed.effects);
    }
    Ok(effects)
}
