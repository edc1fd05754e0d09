//! Commits in words, for the trace.

use mcpanel_domain::task::Task;
use mcpanel_store::{Commit, Write};

/// A commit on one line.
pub fn describe(commit: &Commit) -> String {
    let writes: Vec<String> = commit.writes.iter().map(write).collect();
    let events: Vec<&str> = commit
        .events
        .iter()
        .map(|event| event.kind.as_str())
        .collect();
    format!("writes {} [{}]", writes.join(", "), events.join(" "))
}

fn write(write: &Write) -> String {
    match write {
        Write::Task { task, .. } => self::task(task),
        Write::Agent(agent) => format!(
            "agent `{}` r{} {:?} session {}",
            agent.id, agent.revision, agent.liveness, agent.session.epoch
        ),
        Write::DeleteAgent { id, .. } => format!("agent `{id}` removed"),
        Write::Pipeline(pipeline) => {
            let stages: Vec<String> = pipeline
                .stages
                .iter()
                .map(|stage| {
                    let replaying = if stage.replaying { " replaying" } else { "" };
                    format!(
                        "{}:{}{replaying} run {} of {}",
                        stage.definition.number,
                        stage.status.as_str(),
                        stage.run,
                        stage.total
                    )
                })
                .collect();
            format!(
                "pipeline `{}` r{} {} ({})",
                pipeline.id,
                pipeline.revision,
                pipeline.status.as_str(),
                stages.join(", ")
            )
        }
        Write::Template(template) => format!("template `{}` v{}", template.id, template.version),
        Write::Artifact(artifact) => format!("artifact `{}` {}", artifact.id, artifact.role),
        Write::DeleteArtifact { id, .. } => format!("artifact `{id}` removed"),
        Write::DeleteOperation { id, .. } => format!("operation `{id}` forgotten"),
        Write::Key(key) => format!("key `{}`", key.id),
        Write::Idempotency(record) => format!("memory of `{}`", record.key),
        Write::Logs { task_id, lines, .. } => format!("{} lines of `{task_id}`", lines.len()),
        Write::Operation(operation) => format!(
            "operation `{}` r{} {} {}/{}/{}",
            operation.id,
            operation.revision,
            operation.status.as_str(),
            operation.done,
            operation.skipped,
            operation.failed
        ),
        Write::Sample(sample) => format!("sample of {}", sample.minute),
    }
}

/// A task in a few words.
pub(super) fn task(task: &Task) -> String {
    let holder = task
        .lease()
        .map(|lease| format!(" by `{}`", lease.agent_id))
        .unwrap_or_default();
    let stopping = match task.cancel_requested {
        Some(_) => " stopping",
        None => "",
    };
    format!(
        "task `{}` r{} {}{holder}{stopping} attempt {} retries {} {:.0}%",
        task.id,
        task.revision,
        task.status().as_str(),
        task.attempt,
        task.retry_count,
        task.progress.percent
    )
}
