//! A task as the queue keeps it.

use std::fmt::Write as _;

use mcpanel_domain::{
    AgentId, Name, SessionId, TaskId, Timestamp,
    task::{State, Task},
};
use mcpanel_store::Grant;

/// The fields that a script takes: what decides a task's place, guarded by its revision.
///
/// ```text
/// REVISION|STATUS|BLOCKED|AT|LANE|PRIORITY|GROUP|ORDER|AGENT|SESSION|SINCE|
/// ```
///
/// `|` is in no id or name, so nothing needs escaping.
pub(crate) fn fields(task: &Task, blocked: bool) -> String {
    let (status, since) = match &task.state {
        State::Pending => ('p', task.created_at),
        State::Retry { at } => ('y', *at),
        State::Assigned(lease) => ('a', lease.granted_at),
        State::Running(lease) => ('r', lease.started_at.unwrap_or(lease.granted_at)),
        State::Completed | State::Failed | State::Cancelled => ('x', task.updated_at),
    };
    let at = task.ready_at().unwrap_or(Timestamp::ZERO).as_ms();
    let (agent, session) = task.lease().map_or(("", ""), |lease| {
        (lease.agent_id.as_str(), lease.session.as_str())
    });
    let group = task
        .place
        .as_ref()
        .map_or("", |place| place.pipeline_id.as_str());
    let mut line = String::with_capacity(160);
    let lane = lane(task);
    let order = order(task);
    // Writing to a string cannot fail.
    let _ = write!(
        line,
        "{}|{status}|{}|{at}|{lane}|{}|{group}|{order}|{agent}|{session}|{}|",
        task.revision,
        u8::from(blocked),
        task.priority,
        since.as_ms(),
    );
    line
}

/// A grant as the scripts keep it, without its task: `REVISION|ATTEMPT|NONCE|SINCE|AGENT|SESSION`.
pub(super) fn grant(grant: &Grant) -> String {
    format!(
        "{}|{}|{:032x}|{}|{}|{}",
        grant.revision,
        grant.attempt,
        grant.nonce,
        grant.granted_at.as_ms(),
        grant.agent_id,
        grant.session,
    )
}

/// Reads what [`grant`] wrote.
pub(super) fn read_grant(task_id: &str, text: &str) -> Option<Grant> {
    let mut parts = text.split('|');
    let mut next = || parts.next();
    Some(Grant {
        task_id: TaskId::parse(task_id).ok()?,
        revision: next()?.parse().ok()?,
        attempt: next()?.parse().ok()?,
        nonce: u128::from_str_radix(next()?, 16).ok()?,
        granted_at: Timestamp::from_ms(next()?.parse().ok()?),
        agent_id: AgentId::parse(next()?).ok()?,
        session: SessionId::parse(next()?).ok()?,
    })
}

/// Tasks that need the same of the same agent share a lane: `TARGET/CAPABILITY,CAPABILITY,…`.
pub(crate) fn lane(task: &Task) -> String {
    let target = task.target.as_ref().map_or("", |target| target.as_str());
    let mut lane = format!("{target}/");
    for (at, capability) in task.capabilities.iter().enumerate() {
        if at > 0 {
            lane.push(',');
        }
        lane.push_str(capability.as_str());
    }
    lane
}

/// Whether an agent with these capabilities (sorted) may run the tasks of a lane.
pub(crate) fn suits(lane: &str, agent: &str, capabilities: &[Name]) -> bool {
    let Some((target, needed)) = lane.split_once('/') else {
        return false;
    };
    (target.is_empty() || target == agent)
        && needed
            .split(',')
            .filter(|name| !name.is_empty())
            .all(|name| {
                capabilities
                    .binary_search_by(|offered| offered.as_str().cmp(name))
                    .is_ok()
            })
}

/// Earliest deadline, then age, as text of a fixed length whose bytes sort alike; the id follows it.
fn order(task: &Task) -> String {
    let deadline = sortable(task.deadline.unwrap_or(Timestamp::MAX));
    format!("{deadline:016x}{:016x}", sortable(task.created_at))
}

/// Moves the sign, so that times before the epoch sort first too.
fn sortable(at: Timestamp) -> u64 {
    at.as_ms().cast_unsigned() ^ (1 << 63)
}
