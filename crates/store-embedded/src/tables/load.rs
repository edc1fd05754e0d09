//! What a start reads: live tasks, agents, keys, templates, counts, and pipelines with something to do.

use std::{path::Path, sync::Arc};

use mcpanel_domain::{
    Namespace, PipelineId, TaskId, Timestamp,
    agent::Agent,
    key::ApiKey,
    operation::Operation,
    pipeline::{Pipeline, Status, Template},
    sample::Activity,
    task::Task,
};
use mcpanel_store::{Key, hot::DependencyState};
use rusqlite::{Connection, params};
use rustc_hash::FxHashSet;
use serde::de::DeserializeOwned;

use super::{
    Namespaces, Read,
    lists::Listed,
    read::{ACTIVITY, open},
    sqlite_error,
};
use crate::{error::OpenError, state::State};

/// Where the tables stand.
pub struct Loaded {
    /// The last flush of the commit log that is in them.
    pub settled: u64,
}

/// Where a document was read.
struct Row {
    namespace: i64,
    id: String,
}

/// Whether reconcilers have something to do for a pipeline, as far as it says itself. One that
/// ended badly and still has live tasks is found through them.
pub fn is_open(pipeline: &Pipeline) -> bool {
    match pipeline.status {
        Status::Running => true,
        Status::Completed => pipeline.output_data.is_none(),
        Status::Created | Status::Failed | Status::Cancelled => false,
    }
}

/// Builds the state from the tables.
pub fn load(
    connection: &Connection,
    namespaces: &Namespaces,
    path: &Path,
    now: Timestamp,
    state: &mut State,
) -> Result<Loaded, OpenError> {
    let read = Read {
        connection,
        namespaces,
    };
    let loading = Loading { read, path, now };
    loading.tables(state).map_err(sqlite_error("read", path))
}

struct Loading<'a> {
    read: Read<'a>,
    path: &'a Path,
    now: Timestamp,
}

impl Loading<'_> {
    fn tables(&self, state: &mut State) -> rusqlite::Result<Loaded> {
        let settled = self.meta("settled")?;
        state.last_seq = self.meta("last_seq")?;
        state.first_kept = self.read.connection.query_row(
            "SELECT coalesce(min(first), ?1) FROM event_block",
            [state.last_seq + 1],
            |row| row.get(0),
        )?;
        self.each(
            "SELECT namespace, id, body FROM agent",
            "agent",
            |_, agent: Agent| {
                let agent = Arc::new(agent);
                state
                    .hot
                    .apply_agent(&agent.namespace, &agent.id, Some(&agent));
            },
        )?;
        self.each(
            "SELECT namespace, id, body FROM api_key",
            "api_key",
            |_, key: ApiKey| {
                state.learn_key(Arc::new(key));
            },
        )?;
        self.each(
            "SELECT namespace, id, body FROM template ORDER BY namespace, id, version",
            "template",
            |_, template: Template| {
                let key = (template.namespace.clone(), template.id.clone());
                state
                    .templates
                    .entry(key)
                    .or_default()
                    .push(Arc::new(template));
            },
        )?;
        self.tasks(state)?;
        self.highest(state)?;
        self.totals(state)?;
        self.activities(state)?;
        self.operations(state)?;
        self.pipelines(state)?;
        Ok(Loaded { settled })
    }

    fn tasks(&self, state: &mut State) -> rusqlite::Result<()> {
        let mut live: Vec<Arc<Task>> = Vec::new();
        self.each(
            "SELECT namespace, id, body FROM task WHERE status IN (0, 1, 2, 5)",
            Task::TABLE,
            |_, task: Task| live.push(Arc::new(task)),
        )?;
        let known: FxHashSet<Key<TaskId>> = live
            .iter()
            .map(|task| (task.namespace.clone(), task.id.clone()))
            .collect();
        for task in live {
            let key = (task.namespace.clone(), task.id.clone());
            state.hot.apply_task(None, &task, self.now, &mut |id| {
                let on = (key.0.clone(), id.clone());
                if known.contains(&on) {
                    return DependencyState::Open;
                }
                // A dependency that cannot be read may still be repaired: wait, do not give up.
                self.read
                    .document::<Task>(&on.0, on.1.as_str())
                    .map_or(DependencyState::Open, |found| {
                        DependencyState::of(found.map(|task| task.status()))
                    })
            });
            state
                .order
                .entry(key.0)
                .or_default()
                .insert((task.created_at, key.1));
        }
        Ok(())
    }

    fn highest(&self, state: &mut State) -> rusqlite::Result<()> {
        let mut statement = self
            .read
            .connection
            .prepare("SELECT n, (SELECT max(id) FROM task WHERE namespace = n) FROM namespace")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let highest: Option<String> = row.get(1)?;
            if let Some(namespace) = self.read.namespaces.name(row.get(0)?)
                && let Some(Ok(id)) = highest.as_deref().map(TaskId::parse)
            {
                state.highest_settled.insert(namespace, id);
            }
        }
        Ok(())
    }

    fn totals(&self, state: &mut State) -> rusqlite::Result<()> {
        let mut statement = self
            .read
            .connection
            .prepare("SELECT namespace, status, tasks FROM total ORDER BY namespace")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (n, status, tasks): (i64, usize, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(namespace) = self.read.namespaces.name(n) {
                let mut totals = state.hot.totals(&namespace).tasks;
                if let Some(total) = totals.get_mut(status) {
                    *total = tasks;
                    state.hot.restore_totals(&namespace, totals);
                }
            }
        }
        Ok(())
    }

    fn activities(&self, state: &mut State) -> rusqlite::Result<()> {
        self.each(
            "SELECT namespace, CAST(minute AS TEXT), body FROM activity",
            ACTIVITY,
            |row, activity: Activity| {
                if let Some(namespace) = self.read.namespaces.name(row.namespace) {
                    let minute = Timestamp::from_ms(row.id.parse().unwrap_or_default());
                    state.hot.restore_activity(&namespace, minute, activity);
                }
            },
        )
    }

    fn operations(&self, state: &mut State) -> rusqlite::Result<()> {
        self.each(
            "SELECT namespace, id, body FROM operation WHERE open = 1",
            Operation::TABLE,
            |_, operation: Operation| {
                state.running.insert((operation.namespace, operation.id));
            },
        )
    }

    fn pipelines(&self, state: &mut State) -> rusqlite::Result<()> {
        let mut busy: FxHashSet<Key<PipelineId>> = FxHashSet::default();
        for namespace in state.order.keys().cloned().collect::<Vec<Namespace>>() {
            busy.extend(
                state
                    .hot
                    .live_tasks(&namespace)
                    .filter_map(|task| task.place.as_ref())
                    .map(|place| (namespace.clone(), place.pipeline_id.clone())),
            );
        }
        let mut open: Vec<Arc<Pipeline>> = Vec::new();
        self.each(
            "SELECT namespace, id, body FROM pipeline WHERE open = 1",
            Pipeline::TABLE,
            |_, pipeline: Pipeline| open.push(Arc::new(pipeline)),
        )?;
        for key in &busy {
            match self.read.document::<Pipeline>(&key.0, key.1.as_str()) {
                Ok(Some(pipeline)) => open.push(Arc::new(pipeline)),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a pipeline with live tasks cannot be read"),
            }
        }
        busy.extend(
            open.iter()
                .map(|pipeline| (pipeline.namespace.clone(), pipeline.id.clone())),
        );
        for pipeline in open {
            state.hot.apply_pipeline(&pipeline);
        }
        for key in busy {
            match self.read.stage_counts(&key.0, &key.1) {
                Ok(counts) => state.hot.restore_stage_counts(&key, &counts),
                Err(error) => tracing::error!(%error, "the counts of a pipeline cannot be read"),
            }
        }
        Ok(())
    }

    fn meta(&self, name: &str) -> rusqlite::Result<u64> {
        self.read.connection.query_row(
            "SELECT coalesce((SELECT value FROM meta WHERE name = ?1), 0)",
            [name],
            |row| row.get(0),
        )
    }

    /// Reads all documents of a query. One that is damaged is told and left out: whoever asks for
    /// it gets that error, and everybody else their answers.
    fn each<T: DeserializeOwned>(
        &self,
        sql: &str,
        table: &'static str,
        mut take: impl FnMut(&Row, T),
    ) -> rusqlite::Result<()> {
        let mut statement = self.read.connection.prepare(sql)?;
        let mut rows = statement.query(params![])?;
        while let Some(row) = rows.next()? {
            let id: String = row.get(1)?;
            let place = Row {
                namespace: row.get(0)?,
                id,
            };
            match open(table, &place.id, row.get_ref(2)?.as_blob()?) {
                Ok(document) => take(&place, document),
                Err(error) => {
                    tracing::error!(file = %self.path.display(), %error, "left out at start");
                }
            }
        }
        Ok(())
    }
}
