//! How things stand and stood.

use mcpanel_api::history::{AgentsByStatus, HistoryPoint, Queue, TaskErrorGroup, TasksByStatus};
use mcpanel_control::{Point, Reason};
use mcpanel_domain::Timestamp;
use mcpanel_store::query;

/// A step of a history.
pub fn point(point: &Point) -> HistoryPoint {
    let [
        pending,
        assigned,
        running,
        completed,
        failed,
        retry,
        cancelled,
    ] = point.tasks;
    let [active, inactive, busy, error, suspect] = point.agents;
    let activity = &point.activity;
    HistoryPoint {
        at: point.at,
        minutes: point.minutes,
        tasks: TasksByStatus {
            pending,
            assigned,
            running,
            completed,
            failed,
            retry,
            cancelled,
        },
        ready: point.ready,
        agents: AgentsByStatus {
            active,
            inactive,
            busy,
            error,
            suspect,
        },
        oldest_waiting_ms: point.oldest_waiting_ms,
        created: activity.created,
        completed: activity.completed,
        failed: activity.failed,
        cancelled: activity.cancelled,
        retried: activity.retried,
        wait_p50_ms: activity.wait.percentile(50),
        wait_p95_ms: activity.wait.percentile(95),
        run_p50_ms: activity.run.percentile(50),
        run_p95_ms: activity.run.percentile(95),
    }
}

/// The tasks of one type.
pub fn queue(queue: query::Queue, now: Timestamp) -> Queue {
    Queue {
        task_type: queue.task_type,
        waiting: queue.waiting,
        running: queue.running,
        oldest_created_at: queue.oldest,
        oldest_waiting_ms: queue.oldest.map(|oldest| now.ms_since(oldest)),
    }
}

/// Failures for the same reason.
pub fn error(Reason { group, newest }: Reason) -> TaskErrorGroup {
    TaskErrorGroup {
        last_message: newest,
        task_type: group.task_type,
        kind: group.kind.into(),
        message: group.message,
        count: group.count,
        last_task_id: group.last_task,
        last_at: group.last_at,
    }
}
