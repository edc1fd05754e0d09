//! Tasks with their payloads and logs.
//!
//! A log may be larger than a commit should be, so it comes in pieces, the first beside its task. A copy that breaks off
//! between two of them leaves a task with a part of its log, which is why the logs of tasks that are there already
//! are compared by their length.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use mcpanel_domain::{Namespace, TaskId, log::Line, task::Task};
use mcpanel_store::Write;

use crate::{
    Error, Kind,
    copy::{Copy, There},
    portion::{COMMIT_BYTES, Portion, pieces},
    walk::{self, LINES, LOGS_AT_ONCE, Tasks},
};

impl Copy<'_> {
    /// Tasks, those of one millisecond together: only among them can one come before what it waits for.
    pub(crate) async fn tasks(&self, namespace: &Namespace) -> Result<(), Error> {
        let mut group: Vec<Arc<Task>> = Vec::new();
        for after in self.oldest_first(&Tasks, namespace).await? {
            let tasks = self.page(&Tasks, namespace, after).await?;
            let held = tasks.last().map(|task| task.created_at);
            let (later, now): (Vec<_>, Vec<_>) = tasks
                .into_iter()
                .partition(|task| Some(task.created_at) == held);
            let same_moment = group.first().map(|task| task.created_at) == held;
            if same_moment {
                group.extend(now);
                group.extend(later);
                continue;
            }
            group.extend(now);
            self.tasks_of(namespace, std::mem::replace(&mut group, later))
                .await?;
        }
        self.tasks_of(namespace, group).await
    }

    async fn tasks_of(&self, namespace: &Namespace, group: Vec<Arc<Task>>) -> Result<(), Error> {
        for some in walk::dependencies_first(group).chunks(walk::PAGE) {
            let (missing, there) = self.sort_out(namespace, some).await?;
            self.finish_logs(namespace, there).await?;
            let mut portion = Portion::new(self);
            for some in missing.chunks(walk::PAYLOADS) {
                self.create(&mut portion, namespace, some).await?;
            }
            portion.commit().await?;
            (self.progress)(Kind::Task, some.len() as u64);
        }
        Ok(())
    }

    /// The tasks that the target lacks, and the ids of those that it has.
    async fn sort_out(
        &self,
        namespace: &Namespace,
        tasks: &[Arc<Task>],
    ) -> Result<(Vec<Arc<Task>>, Vec<TaskId>), Error> {
        let ids: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
        let found = self.to.store.tasks(namespace, &ids).await;
        let (mut missing, mut there) = (Vec::new(), Vec::new());
        for (task, found) in tasks.iter().zip(found.map_err(Error::target)?) {
            let found = found.map(|found| found.revision);
            match Self::compare(Kind::Task, task.id.as_str(), task.revision, found)? {
                There::Missing => missing.push(task.clone()),
                There::Same => there.push(task.id.clone()),
            }
        }
        Ok((missing, there))
    }

    async fn create(
        &self,
        portion: &mut Portion<'_>,
        namespace: &Namespace,
        tasks: &[Arc<Task>],
    ) -> Result<(), Error> {
        let store = &*self.from.store;
        let payloads = walk::payloads(store, namespace, tasks).await;
        let payloads = payloads.map_err(Error::source)?;
        let ids: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
        let mut logs = stream::iter(&ids)
            .map(|id| store.logs(namespace, id, 0, LINES))
            .buffered(LOGS_AT_ONCE);
        for (task, payloads) in tasks.iter().cloned().zip(payloads) {
            let result_bytes = payloads.result.as_ref().map_or(0, |each| each.size_bytes());
            let bytes = payloads.parameters.size_bytes() + result_bytes;
            let id = task.id.clone();
            let write = Write::Task {
                task,
                parameters: Some(payloads.parameters),
                result: payloads.result,
            };
            portion.add(write, bytes).await?;
            let lines = logs.try_next().await.map_err(Error::source)?;
            self.add_log(portion, namespace, &id, lines.unwrap_or_default(), 0)
                .await?;
        }
        Ok(())
    }

    /// Completes the logs of tasks that the target has.
    async fn finish_logs(&self, namespace: &Namespace, ids: Vec<TaskId>) -> Result<(), Error> {
        let (from, to) = (&*self.from.store, &*self.to.store);
        let lengths = stream::iter(ids).map(|id| async move {
            let wanted = walk::log_length(from, namespace, &id).await;
            let wanted = wanted.map_err(Error::source)?;
            let found = match wanted {
                0 => 0,
                _ => walk::log_length(to, namespace, &id)
                    .await
                    .map_err(Error::target)?,
            };
            Ok::<_, Error>((found < wanted).then_some((id, found)))
        });
        let lacking: Vec<_> = lengths.buffered(LOGS_AT_ONCE).try_collect().await?;
        let mut portion = Portion::new(self);
        for (id, found) in lacking.into_iter().flatten() {
            let lines = from.logs(namespace, &id, 0, LINES).await;
            let lines = lines.map_err(Error::source)?;
            self.add_log(&mut portion, namespace, &id, lines, found)
                .await?;
        }
        portion.commit().await
    }

    /// Adds a log whose first lines these are, without those that the target has already.
    async fn add_log(
        &self,
        portion: &mut Portion<'_>,
        namespace: &Namespace,
        id: &TaskId,
        mut lines: Vec<Line>,
        mut there: usize,
    ) -> Result<(), Error> {
        let mut is_begun = false;
        while let Some(last) = lines.last().map(|line| line.seq) {
            let is_last = lines.len() < LINES;
            let skipped = there.min(lines.len());
            there -= skipped;
            for (lines, bytes) in pieces(lines.split_off(skipped), COMMIT_BYTES) {
                // Lines get their numbers as they are written, so those of one task come in commits of their own.
                if is_begun {
                    portion.commit().await?;
                }
                is_begun = true;
                let write = Write::Logs {
                    namespace: namespace.clone(),
                    task_id: id.clone(),
                    lines,
                };
                portion.add(write, bytes).await?;
            }
            if is_last {
                break;
            }
            let more = self.from.store.logs(namespace, id, last, LINES).await;
            lines = more.map_err(Error::source)?;
        }
        Ok(())
    }
}
