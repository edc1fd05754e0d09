//! Lines that a holder writes about its task.

use std::sync::Arc;

use mcpanel_domain::{
    Fault, TaskId,
    limits::{LOG_LINES_MAX, PAGE_ITEMS_MAX, TEXT_CHARS_MAX},
    log::{Level, Line},
    task::{self, Proof, command::Held},
    text::bad_text,
};
use mcpanel_store::{Commit, Write};

use super::TaskManager;
use crate::{Error, Result, Scope, core::Core, grants::Shown};

impl TaskManager {
    /// Keeps lines that the holder wrote; those without a time are given the present one.
    pub async fn append_logs(
        &self,
        scope: &Scope,
        id: &TaskId,
        proof: Proof,
        lines: Vec<(Option<mcpanel_domain::Timestamp>, Level, String)>,
    ) -> Result<()> {
        check(&lines)?;
        let now = self.core.now();
        let lines: Vec<Line> = lines
            .into_iter()
            .map(|(at, level, message)| Line {
                seq: 0,
                at: at.unwrap_or(now),
                attempt: proof.attempt,
                level,
                message,
            })
            .collect();
        for _ in Core::tries() {
            let shown = Shown {
                agent: scope.agent.as_ref(),
                proof,
            };
            let (standing, alive_until) = self
                .core
                .standing(&scope.namespace, id, Some(shown))
                .await?;
            let held = Held { proof, alive_until };
            let attach = task::Command::Attach(held);
            let decision = task::decide(&standing.task, attach, self.core.now())?;
            let mut commit = Commit::of(Write::Logs {
                namespace: scope.namespace.clone(),
                task_id: id.clone(),
                lines: lines.clone(),
            })
            .with_events(standing.events(decision.events));
            // Written beside the lines, so that the lease still holds when they land.
            if let Some(next) = decision.task {
                commit = commit.with(Write::Task {
                    task: Arc::new(next),
                    parameters: None,
                    result: None,
                });
            }
            match self.core.commit(commit.caused_by(&scope.actor)).await {
                Err(error) if error.conflict().is_some() => {}
                outcome => return outcome,
            }
        }
        Err(Error::Contended { id: id.to_string() })
    }

    /// Lines with a number above `after`, oldest first.
    pub async fn logs(
        &self,
        scope: &Scope,
        id: &TaskId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Line>> {
        self.core.task(&scope.namespace, id).await?;
        let most = usize::try_from(PAGE_ITEMS_MAX).unwrap_or(usize::MAX);
        Ok(self
            .core
            .store
            .logs(&scope.namespace, id, after, limit.min(most))
            .await?)
    }
}

fn check(lines: &[(Option<mcpanel_domain::Timestamp>, Level, String)]) -> Result<()> {
    if lines.is_empty() || lines.len() > LOG_LINES_MAX {
        return Err(Error::invalid(vec![Fault::new(
            "/lines",
            "count",
            format!("has {} items; must have 1 to {LOG_LINES_MAX}", lines.len()),
        )]));
    }
    let faults: Vec<Fault> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, (_, _, message))| {
            let why = bad_text(message, TEXT_CHARS_MAX)?;
            Some(Fault::new(format!("/lines/{at}/message"), "too_long", why))
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(faults))
    }
}
