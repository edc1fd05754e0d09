//! A task of a server in the hands of a stage.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use mcpanel_api::{ErrorType, Name, artifact::Artifact, task::LogLevel};
use mcpanel_client::{
    Error,
    worker::{Assignment, Failure},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::{inputs, outputs::RemoteWriter, parameters::StageTask};
use crate::job::{Input, Job, Level, OutputSpec, OutputWriter};

/// The counter that tells how many records a task has done.
static RECORDS: LazyLock<Name> =
    LazyLock::new(|| Name::parse("records").expect("`records` is a name"));

/// What a stage works on: the inputs with the artifacts behind them, and the parameters.
pub(super) type Prepared = (Vec<(Input, Artifact)>, Value);

/// Finds what the task in hand works on.
pub(super) async fn prepare(assignment: &Assignment) -> Result<Prepared, Failure> {
    let (task, run) = StageTask::read(assignment).await?;
    let inputs = inputs::of_task(assignment.client(), &task, &run)
        .await
        .map_err(|error| unavailable("the inputs", &error))?;
    Ok((inputs, task.merged(run)))
}

/// The failure that an unanswered question to the server means.
pub(super) fn unavailable(what: &str, error: &Error) -> Failure {
    let kind = match error {
        _ if error.is_transient() => ErrorType::Network,
        Error::Problem { problem, .. } if problem.status < 500 => ErrorType::Validation,
        _ => ErrorType::System,
    };
    Failure::new(kind, format!("cannot read {what}: {}", error.chain()))
}

/// A task of a server, as a stage sees it. Lives on a thread that may block.
pub(super) struct RemoteJob {
    assignment: Assignment,
    inputs: Vec<Input>,
    artifacts: HashMap<String, Artifact>,
    parameters: Value,
    /// Dropped with the job, with everything in it.
    folder: TempDir,
    downloaded: Mutex<HashMap<String, Arc<PathBuf>>>,
    next_output: AtomicU32,
    runtime: Handle,
}

impl RemoteJob {
    pub(super) fn new(
        assignment: Assignment,
        inputs: Vec<(Input, Artifact)>,
        parameters: Value,
        scratch: Option<&Path>,
    ) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("mcpanel-task-");
        let folder = match scratch {
            Some(scratch) => {
                std::fs::create_dir_all(scratch)?;
                builder.tempdir_in(scratch)?
            }
            None => builder.tempdir()?,
        };
        let (inputs, artifacts): (Vec<Input>, Vec<Artifact>) = inputs.into_iter().unzip();
        let artifacts = artifacts
            .into_iter()
            .map(|artifact| (artifact.artifact_id.to_string(), artifact))
            .collect();
        Ok(Self {
            assignment,
            inputs,
            artifacts,
            parameters,
            folder,
            downloaded: Mutex::default(),
            next_output: AtomicU32::new(0),
            runtime: Handle::current(),
        })
    }

    /// Where the bytes of an input are, downloaded the first time. The lock is held meanwhile, so that nothing is
    /// downloaded twice.
    fn file_of(&self, input: &Input) -> io::Result<Arc<PathBuf>> {
        let mut downloaded = self
            .downloaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = downloaded.get(&input.artifact_id) {
            return Ok(path.clone());
        }
        let artifact = self.artifacts.get(&input.artifact_id).ok_or_else(|| {
            let what = format!("`{}` is no input of this task", input.artifact_id);
            io::Error::new(io::ErrorKind::NotFound, what)
        })?;
        let path = self
            .folder
            .path()
            .join(format!("input-{}", downloaded.len()));
        let download = self
            .assignment
            .client()
            .download_to(artifact.clone(), &path);
        self.runtime
            .block_on(download)
            .map_err(|error| io::Error::other(error.chain()))?;
        let path = Arc::new(path);
        downloaded.insert(input.artifact_id.clone(), path.clone());
        Ok(path)
    }
}

impl Job for RemoteJob {
    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn open(&self, input: &Input) -> io::Result<Box<dyn Read + Send>> {
        let path = self.file_of(input)?;
        Ok(Box::new(File::open(path.as_path())?))
    }

    fn create(&self, spec: OutputSpec) -> io::Result<Box<dyn OutputWriter>> {
        let index = self.next_output.fetch_add(1, Ordering::Relaxed);
        let writer = RemoteWriter::create(
            self.assignment.clone(),
            self.runtime.clone(),
            spec,
            index,
            self.folder.path(),
        )?;
        Ok(Box::new(writer))
    }

    fn progress(&self, done: u64, total: Option<u64>, message: &str) {
        // Rounding does not matter for a bar, and counts stay far below 2^52.
        let percent = match total {
            Some(total) if total > 0 => 100.0 * done as f64 / total as f64,
            _ => 0.0,
        };
        let counters = BTreeMap::from([(RECORDS.clone(), done)]);
        self.assignment
            .progress(percent.min(100.0), message, counters);
    }

    fn is_cancelled(&self) -> bool {
        self.assignment.is_cancelled()
    }

    fn parameters(&self) -> &Value {
        &self.parameters
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
        };
        self.assignment.log(level, message);
    }
}
