//! Why a task does not run.

use mcpanel_api::task::{Blocker, BlockerKind, Explanation};
use mcpanel_control::{Blocker as Found, Explanation as Told, describe_blocker};

use super::task::status;

/// An explanation.
pub fn explanation(told: Told) -> Explanation {
    let mut blockers: Vec<Blocker> = told.blockers.iter().flat_map(blockers).collect();
    if told.task.cancel_requested.is_some()
        && let Some(lease) = told.task.lease()
    {
        let detail = format!(
            "agent `{}` was asked to stop and has not confirmed it",
            lease.agent_id
        );
        blockers.push(Blocker {
            agent_id: Some(lease.agent_id.clone()),
            ..blocker(BlockerKind::CancelRequested, detail)
        });
    }
    Explanation {
        task_id: told.task.id.clone(),
        status: status(told.task.status()),
        summary: told.summary,
        blockers,
    }
}

/// One entry for each thing that could be named by itself.
fn blockers(found: &Found) -> Vec<Blocker> {
    let detail = describe_blocker(found);
    match found {
        Found::Dependency { task_id, .. } => vec![Blocker {
            task_id: Some(task_id.clone()),
            ..blocker(BlockerKind::Dependency, detail)
        }],
        Found::RunAt { at } => vec![Blocker {
            at: Some(*at),
            ..blocker(BlockerKind::NotYetDue, detail)
        }],
        Found::RetryAt { at, .. } => vec![Blocker {
            at: Some(*at),
            ..blocker(BlockerKind::RetryPause, detail)
        }],
        Found::NoCapableAgent {
            offered_by_none, ..
        } if offered_by_none.is_empty() => vec![blocker(BlockerKind::NoCapableAgent, detail)],
        Found::NoCapableAgent {
            offered_by_none, ..
        } => offered_by_none
            .iter()
            .map(|name| Blocker {
                capability: Some(name.clone()),
                ..blocker(
                    BlockerKind::NoCapableAgent,
                    format!("no registered agent offers `{name}`"),
                )
            })
            .collect(),
        Found::AgentsUnavailable { agents } => agents
            .iter()
            .map(|(id, why)| Blocker {
                agent_id: Some(id.clone()),
                ..blocker(
                    BlockerKind::AgentsUnavailable,
                    format!("agent `{id}` could run it, but {why}"),
                )
            })
            .collect(),
        Found::SlotsBusy { agents, .. } => vec![Blocker {
            agent_id: match agents.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
            ..blocker(BlockerKind::AllSlotsBusy, detail)
        }],
        Found::TargetUnknown { agent_id } => vec![Blocker {
            agent_id: Some(agent_id.clone()),
            ..blocker(BlockerKind::TargetAgent, detail)
        }],
        Found::Queue { .. } => vec![blocker(BlockerKind::Queued, detail)],
    }
}

fn blocker(kind: BlockerKind, detail: String) -> Blocker {
    Blocker {
        kind,
        detail,
        task_id: None,
        agent_id: None,
        capability: None,
        at: None,
    }
}
