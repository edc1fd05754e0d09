//! Which tasks: what lists, searches and operations on many tasks have in common.

use serde::{Deserialize, Serialize};

use super::{Status, Task};
use crate::{AgentId, Name, PipelineId, Timestamp};

/// Which tasks. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Any of these; all when empty.
    pub statuses: Vec<Status>,
    /// Of this type.
    pub task_type: Option<Name>,
    /// Held, last run by, or meant for this agent.
    pub agent_id: Option<AgentId>,
    /// Held by this agent now.
    pub held_by: Option<AgentId>,
    /// Of this pipeline.
    pub pipeline_id: Option<PipelineId>,
    /// Of this stage.
    pub stage: Option<u16>,
    /// Created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    pub created_before: Option<Timestamp>,
    /// Changed at this moment or later.
    pub updated_from: Option<Timestamp>,
    /// Last changed before this moment.
    pub updated_before: Option<Timestamp>,
    /// Ended at this moment or later.
    pub ended_from: Option<Timestamp>,
    /// Ended before this moment.
    pub ended_before: Option<Timestamp>,
}

impl Filter {
    /// Whether a task is asked for.
    pub fn matches(&self, task: &Task) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&task.status()))
            && is_or_any(self.task_type.as_ref(), Some(&task.task_type))
            && self.agent_id.as_ref().is_none_or(|wanted| {
                task.last_agent() == Some(wanted) || task.target.as_ref() == Some(wanted)
            })
            && is_or_any(
                self.held_by.as_ref(),
                task.lease().map(|lease| &lease.agent_id),
            )
            && is_or_any(
                self.pipeline_id.as_ref(),
                task.place.as_ref().map(|place| &place.pipeline_id),
            )
            && is_or_any(
                self.stage.as_ref(),
                task.place.as_ref().map(|place| &place.stage),
            )
            && within(
                self.created_from,
                self.created_before,
                Some(task.created_at),
            )
            && within(
                self.updated_from,
                self.updated_before,
                Some(task.updated_at),
            )
            && within(self.ended_from, self.ended_before, task.completed_at)
    }

    /// Whether it asks for nothing in particular, and so means every task there is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a task that has not ended can be asked for.
    pub fn admits_live(&self) -> bool {
        self.ended_from.is_none()
            && self.ended_before.is_none()
            && (self.statuses.is_empty() || self.statuses.iter().any(|each| !each.is_terminal()))
    }

    /// Whether a task that has ended can be asked for.
    pub fn admits_ended(&self) -> bool {
        self.held_by.is_none()
            && (self.statuses.is_empty() || self.statuses.iter().any(|each| each.is_terminal()))
    }

    /// Whether only tasks that an agent holds now can be asked for.
    pub fn only_held(&self) -> bool {
        self.held_by.is_some()
            || (!self.statuses.is_empty()
                && self
                    .statuses
                    .iter()
                    .all(|each| matches!(each, Status::Assigned | Status::Running)))
    }

    /// Whether it names statuses and nothing else.
    pub fn names_statuses_only(&self) -> bool {
        Self {
            statuses: Vec::new(),
            ..self.clone()
        }
        .is_empty()
    }
}

fn is_or_any<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
    wanted.is_none() || wanted == found
}

/// Whether a moment lies from `from` on and before `before`; one that is not there lies nowhere.
fn within(from: Option<Timestamp>, before: Option<Timestamp>, at: Option<Timestamp>) -> bool {
    match at {
        Some(at) => from.is_none_or(|from| at >= from) && before.is_none_or(|before| at < before),
        None => from.is_none() && before.is_none(),
    }
}
