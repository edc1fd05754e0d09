//! `tasks:pending`, `tasks:retry`, `tasks:running` and `tasks:assigned:{agent_id}`.

use mcpanel_domain::{AgentId, Namespace, TaskId};
use rustc_hash::FxHashMap;

use super::Writes;
use crate::{
    keys::Keys,
    queue::{Move, Record},
};

/// Room for a time in milliseconds below the priority in a score: 2⁴² ms reach to the year 2109, and eleven bits
/// of priority above them stay within the 53 that a score holds exactly.
const TIME_SPAN: i64 = 1 << 42;

/// Moves priorities so that the highest, 1,000, comes first.
const PRIORITY_TOP: i64 = 1_000;

/// What is to be in a sorted set, and what is not.
#[derive(Default)]
struct Members<'a> {
    /// Score and task.
    put: Vec<(i64, &'a TaskId)>,
    removed: Vec<&'a TaskId>,
}

pub(super) fn show(keys: &Keys, namespace: &Namespace, moves: &[Move], writes: &mut Writes) {
    let (mut pending, mut retry, mut running) =
        (Members::default(), Members::default(), Members::default());
    let mut assigned: FxHashMap<&AgentId, Members<'_>> = FxHashMap::default();
    for each in moves {
        match each {
            Move::Task(id, record) => {
                let status = record.as_ref().map_or('x', |record| record.status);
                let since = record.as_ref().map_or(0, |record| record.since_ms);
                pending.place(id, (status == 'p').then(|| urgency(record.as_ref())));
                retry.place(id, (status == 'y').then_some(since));
                running.place(id, (status == 'r').then_some(since));
                if let Some(agent) = record.as_ref().and_then(|record| record.agent.as_ref()) {
                    assigned.entry(agent).or_default().place(id, Some(since));
                }
            }
            Move::Left(agent, id, record) => {
                let back = record
                    .as_ref()
                    .is_some_and(|record| record.agent.as_ref() == Some(agent));
                if !back {
                    assigned.entry(agent).or_default().place(id, None);
                }
            }
            Move::Agent(..) | Move::Pipeline(_) => {}
        }
    }
    pending.write(&keys.tasks_in(namespace, "pending"), writes);
    retry.write(&keys.tasks_in(namespace, "retry"), writes);
    running.write(&keys.tasks_in(namespace, "running"), writes);
    for (agent, members) in assigned {
        members.write(&keys.tasks_of(namespace, agent), writes);
    }
}

/// By priority, then age: the smallest score is the most urgent.
fn urgency(record: Option<&Record>) -> i64 {
    record.map_or(0, |record| {
        let below = PRIORITY_TOP - i64::from(record.priority);
        below.clamp(0, 2 * PRIORITY_TOP) * TIME_SPAN + record.since_ms.clamp(0, TIME_SPAN - 1)
    })
}

impl<'a> Members<'a> {
    fn place(&mut self, id: &'a TaskId, score: Option<i64>) {
        match score {
            Some(score) => self.put.push((score, id)),
            None => self.removed.push(id),
        }
    }

    fn write(self, key: &str, writes: &mut Writes) {
        if !self.removed.is_empty() {
            writes.push(key, "ZREM", |command| {
                for id in self.removed {
                    command.arg(id.as_str());
                }
            });
        }
        if !self.put.is_empty() {
            writes.push(key, "ZADD", |command| {
                for (score, id) in self.put {
                    command.arg(score).arg(id.as_str());
                }
            });
        }
    }
}
