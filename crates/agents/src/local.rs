//! All six stages over a directory, without a server: for tests, examples and a quick look at a file.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    job::{Input, Job, Level, OutputRef, OutputSpec, OutputWriter, role},
    record::hex,
    stage::{Stage, StageError, Summary},
    stages::{self, Mode},
};

type Written = Arc<Mutex<Vec<(Input, PathBuf)>>>;

/// A task over local files. Artifacts are written to one directory per task.
pub struct LocalJob {
    inputs: Vec<Input>,
    paths: Vec<PathBuf>,
    directory: PathBuf,
    stage: u32,
    index: u32,
    parameters: Value,
    cancelled: AtomicBool,
    written: Written,
    messages: Mutex<Vec<String>>,
}

impl LocalJob {
    /// A task of stage `stage` that reads `inputs` and writes into `directory`, which is created.
    pub fn new(
        inputs: Vec<(Input, PathBuf)>,
        directory: impl Into<PathBuf>,
        stage: u32,
        index: u32,
        parameters: Value,
    ) -> io::Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        let (inputs, paths) = inputs.into_iter().unzip();
        Ok(Self {
            inputs,
            paths,
            directory,
            stage,
            index,
            parameters,
            cancelled: AtomicBool::new(false),
            written: Written::default(),
            messages: Mutex::default(),
        })
    }

    /// Asks the stage to stop.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The artifacts written, with their files, in the order in which they were finished.
    pub fn outputs(&self) -> Vec<(Input, PathBuf)> {
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The log lines.
    pub fn messages(&self) -> Vec<String> {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A local file as the input of a run.
pub fn file_input(path: &Path) -> io::Result<(Input, PathBuf)> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let size_bytes = io::copy(&mut file, &mut HashWriter(&mut hasher))?;
    let name = path.file_name().map_or_else(
        || "input".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let input = Input {
        artifact_id: format!("local_{name}"),
        name,
        role: "input".to_owned(),
        stage: 0,
        index: 0,
        size_bytes,
        digest: format!("sha256:{}", hex(&hasher.finalize())),
        records: None,
    };
    Ok((input, path.to_owned()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Job for LocalJob {
    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn open(&self, input: &Input) -> io::Result<Box<dyn Read + Send>> {
        let position = self
            .inputs
            .iter()
            .position(|known| known.artifact_id == input.artifact_id)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not an input of this task"))?;
        Ok(Box::new(File::open(&self.paths[position])?))
    }

    fn create(&self, spec: OutputSpec) -> io::Result<Box<dyn OutputWriter>> {
        let path = self.directory.join(&spec.name);
        let file = BufWriter::new(File::create(&path)?);
        Ok(Box::new(LocalWriter {
            file,
            path,
            spec,
            hasher: Sha256::new(),
            bytes: 0,
            stage: self.stage,
            index: self.index,
            written: Arc::clone(&self.written),
        }))
    }

    fn progress(&self, _done: u64, _total: Option<u64>, _message: &str) {}

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn parameters(&self) -> &Value {
        &self.parameters
    }

    fn log(&self, level: Level, message: &str) {
        let line = format!("{level:?}: {message}");
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

struct LocalWriter {
    file: BufWriter<File>,
    path: PathBuf,
    spec: OutputSpec,
    hasher: Sha256,
    bytes: u64,
    stage: u32,
    index: u32,
    written: Written,
}

impl Write for LocalWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OutputWriter for LocalWriter {
    fn finish(mut self: Box<Self>, records: Option<u64>) -> io::Result<OutputRef> {
        self.file.flush()?;
        let artifact = Input {
            artifact_id: format!("local_{}_{}_{}", self.stage, self.index, self.spec.name),
            name: self.spec.name.clone(),
            role: self.spec.role.to_owned(),
            stage: self.stage,
            index: self.index,
            size_bytes: self.bytes,
            digest: format!("sha256:{}", hex(&self.hasher.finalize())),
            records,
        };
        let output = OutputRef {
            artifact_id: artifact.artifact_id.clone(),
            name: artifact.name.clone(),
            size_bytes: artifact.size_bytes,
            digest: artifact.digest.clone(),
        };
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((artifact, self.path));
        Ok(output)
    }
}

/// What a local run left behind.
#[derive(Debug)]
pub struct LocalRun {
    /// The result of every task, with its task type, in order.
    pub summaries: Vec<(&'static str, Summary)>,
    /// Every artifact with its file.
    pub artifacts: Vec<(Input, PathBuf)>,
    /// Where the finished dataset and the report are.
    pub output: PathBuf,
}

/// Runs the six stages in order over `file`, with artifacts below `directory`; `seed` decides the splits.
pub fn run_local(file: &Path, directory: &Path, seed: u64) -> Result<LocalRun, StageError> {
    run_local_with(file, directory, json!({ "seed": seed }))
}

/// Runs the six stages with these parameters, each given to every stage.
pub fn run_local_with(
    file: &Path,
    directory: &Path,
    parameters: Value,
) -> Result<LocalRun, StageError> {
    run_local_stages(&stages::all(), file, directory, parameters)
}

/// Runs these stages, in the order of the pipeline.
pub fn run_local_stages(
    all: &[Box<dyn Stage>],
    file: &Path,
    directory: &Path,
    parameters: Value,
) -> Result<LocalRun, StageError> {
    let input =
        file_input(file).map_err(StageError::io(format!("reading `{}`", file.display())))?;
    let mut artifacts = vec![input];
    let mut summaries = Vec::new();
    let mut output = directory.to_owned();
    for (stage, number) in all.iter().zip(1u32..) {
        let task_type = stage.task_type();
        let mode = stages::mode(task_type).unwrap_or(Mode::Single);
        let mut produced = Vec::new();
        for (inputs, index) in task_inputs(mode, number, &artifacts)
            .into_iter()
            .zip(0u32..)
        {
            output = directory.join(format!("{number}-{task_type}"));
            let task_directory = match mode {
                Mode::Map => output.join(index.to_string()),
                Mode::Single | Mode::Reduce => output.clone(),
            };
            let job = LocalJob::new(inputs, task_directory, number, index, parameters.clone())
                .map_err(StageError::io("creating the directory of a task"))?;
            summaries.push((task_type, stage.run(&job)?));
            produced.extend(job.outputs());
        }
        artifacts.extend(produced);
    }
    Ok(LocalRun {
        summaries,
        artifacts,
        output,
    })
}

/// What each task of stage `number` may read: everything, or one chunk of the stage before.
fn task_inputs(
    mode: Mode,
    number: u32,
    artifacts: &[(Input, PathBuf)],
) -> Vec<Vec<(Input, PathBuf)>> {
    match mode {
        Mode::Single | Mode::Reduce => vec![artifacts.to_vec()],
        Mode::Map => artifacts
            .iter()
            .filter(|(input, _)| input.stage == number - 1 && input.role == role::CHUNK)
            .map(|chunk| vec![chunk.clone()])
            .collect(),
    }
}
