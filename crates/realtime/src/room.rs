//! Rooms: whose events a socket is told.

use std::fmt;

use mcpanel_api::{AgentId, PipelineId, Problem, TaskId, event::EventPayload};
use mcpanel_guard::{Permission, Principal};

use crate::refusal::{Refusal, quoted};

/// A room. Each namespace has its own: a room of an id that exists elsewhere only stays silent, like one of an id that does
/// not exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Room {
    /// Everything.
    Namespace,
    /// What happens to a pipeline, its tasks among it.
    Pipeline(PipelineId),
    /// What happens to a task.
    Task(TaskId),
    /// What happens to an agent, and to the tasks that it holds.
    Agent(AgentId),
}

impl Room {
    /// Reads a room's name; `pointer` says where it stood.
    pub(crate) fn parse(name: &str, pointer: &str) -> Result<Self, Box<Problem>> {
        let unknown = || {
            Refusal::fault(
                pointer,
                "unknown_value",
                format!(
                    "is `{}`; rooms are `namespace`, `pipeline:<id>`, `task:<id>` and `agent:<id>`",
                    quoted(name)
                ),
            )
        };
        if name == "namespace" {
            return Ok(Self::Namespace);
        }
        let (kind, id) = name.split_once(':').ok_or_else(unknown)?;
        let room = match kind {
            "pipeline" => PipelineId::parse(id).map(Self::Pipeline).ok(),
            "task" => TaskId::parse(id).map(Self::Task).ok(),
            "agent" => AgentId::parse(id).map(Self::Agent).ok(),
            _ => None,
        };
        room.ok_or_else(unknown)
    }

    /// Lets in who may read what the room is about; `event:read` opens every room.
    pub(crate) fn let_in(&self, caller: &Principal) -> Result<(), Box<Problem>> {
        let needed = match self {
            Self::Namespace => Permission::EventRead,
            Self::Pipeline(_) => Permission::PipelineRead,
            Self::Task(_) => Permission::TaskRead,
            Self::Agent(_) => Permission::AgentRead,
        };
        if caller.may(needed) || caller.may(Permission::EventRead) {
            return Ok(());
        }
        Err(Refusal::Forbidden
            .because(format!("the room `{self}` needs the permission `{needed}`")))
    }

    /// The rooms in which an event is told.
    pub(crate) fn of(payload: &EventPayload) -> Vec<Self> {
        let mut rooms = vec![Self::Namespace];
        rooms.extend(payload.pipeline_id.clone().map(Self::Pipeline));
        rooms.extend(payload.task_id.clone().map(Self::Task));
        rooms.extend(payload.agent_id.clone().map(Self::Agent));
        rooms
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace => f.write_str("namespace"),
            Self::Pipeline(id) => write!(f, "pipeline:{id}"),
            Self::Task(id) => write!(f, "task:{id}"),
            Self::Agent(id) => write!(f, "agent:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use mcpanel_guard::{Permissions, Role};

    use super::*;

    fn caller(words: &[&str]) -> Principal {
        Principal {
            role: Role::Admin,
            namespace: mcpanel_api::Namespace::default_namespace(),
            permissions: Permissions::parse(words.iter().copied()).unwrap(),
        }
    }

    #[test]
    fn names_are_read_and_written_alike() {
        for name in ["namespace", "pipeline:p-1", "task:p-1.s2.000000", "agent:a"] {
            assert_eq!(Room::parse(name, "/room").unwrap().to_string(), name);
        }
        for name in [
            "",
            "tasks",
            "task:",
            "task:../x",
            "pipelines:p",
            "namespace:x",
        ] {
            let refused = Room::parse(name, "/room").unwrap_err();
            assert_eq!(
                (refused.code.as_str(), refused.errors.len()),
                ("validation", 1),
                "{name}"
            );
        }
    }

    #[test]
    fn each_room_asks_for_its_permission() {
        let task = Room::parse("task:t", "/room").unwrap();
        assert!(task.let_in(&caller(&["task:read"])).is_ok());
        assert!(task.let_in(&caller(&["event:read"])).is_ok());
        let refused = task.let_in(&caller(&["pipeline:read"])).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.status), ("forbidden", 403));
        let all = caller(&["task:read", "pipeline:read", "agent:read"]);
        assert!(Room::Namespace.let_in(&all).is_err());
    }
}
