//! Types of tasks that wait although no agent that is there would take them.

use mcpanel_control::AgentView;
use mcpanel_domain::{
    Name,
    agent::{Admission, Status as AgentStatus},
    task::Status as TaskStatus,
};
use mcpanel_store::query::{Page as Slice, Queue, TaskFilter};

use crate::{Dashboard, error::Result, session::Viewer};

/// Types that are looked at: as many as are shown, and each may cost a look at a task.
const TYPES_LOOKED: usize = 8;

/// Finds them. What a task needs is usually its type; where nobody offers that, the newest task that waits tells what
/// it needs.
pub async fn find(
    dashboard: &Dashboard,
    viewer: &Viewer,
    queues: &[Queue],
    agents: &[AgentView],
) -> Result<Vec<Name>> {
    let offers = |needed: &[Name]| {
        agents.iter().any(|view| {
            let is_there = !matches!(view.status, AgentStatus::Inactive | AgentStatus::Error);
            let takes = view.agent.admission == Admission::Open;
            is_there && takes && view.agent.offers(needed)
        })
    };
    let mut found = Vec::new();
    let waiting = queues.iter().filter(|queue| queue.waiting > 0);
    for queue in waiting.take(TYPES_LOOKED) {
        if offers(std::slice::from_ref(&queue.task_type)) {
            continue;
        }
        let filter = TaskFilter {
            statuses: vec![TaskStatus::Pending, TaskStatus::Retry],
            task_type: Some(queue.task_type.clone()),
            ..TaskFilter::default()
        };
        let tasks = &dashboard.control.tasks;
        let newest = tasks.list(&viewer.scope, &filter, &Slice::first(1)).await?;
        if let Some(newest) = newest.items.first()
            && !offers(&newest.task.capabilities)
        {
            found.push(queue.task_type.clone());
        }
    }
    Ok(found)
}
