//! The folder of a run: what was asked for, and where work in progress is.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use mcpanel_adapters::folder::make_private;
use mcpanel_api::PipelineId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shown;
use crate::{Failure, Result, output::cell::now};

/// Work in progress, below the folder of the run.
const WORK: &str = ".mcpanel";
/// What was asked for, below [`WORK`].
const ASKED: &str = "run.json";
/// Version of the form of [`ASKED`].
const FORMAT: u32 = 1;

/// What was asked for: written before anything happens, so that everything after can be done again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    format: u32,
    /// The run. Its id comes from here, so that making it twice makes it once.
    pub pipeline_id: PipelineId,
    /// The dataset.
    pub file: PathBuf,
    /// Its name, as the results tell it.
    pub file_name: String,
    /// What the stages are told.
    pub parameters: Map<String, Value>,
}

impl Asked {
    /// A new run over a file, which must be there and readable.
    pub fn of(file: &Path, parameters: Map<String, Value>) -> Result<Self> {
        let cannot = |why: String| Failure::new(format!("cannot read `{}`: {why}", file.display()));
        let about = fs::metadata(file).map_err(|error| cannot(plain(&error)))?;
        if about.is_dir() {
            return Err(cannot("it is a folder; name a file in it".to_owned()));
        }
        File::open(file).map_err(|error| cannot(plain(&error)))?;
        if about.is_file() && about.len() == 0 {
            return Err(cannot("it is empty".to_owned()));
        }
        Ok(Self {
            format: FORMAT,
            pipeline_id: PipelineId::generate(now(), rand::random()),
            file: file.canonicalize().map_err(|error| cannot(plain(&error)))?,
            file_name: file_name(file)?,
            parameters,
        })
    }
}

/// The folder of a run.
pub struct Folder {
    root: PathBuf,
    /// What was asked for.
    pub asked: Asked,
    /// Whether this process made the folder itself.
    made_root: bool,
}

impl Folder {
    /// Makes the folder of a new run. Refuses one that has something in it.
    pub fn begin(root: &Path, asked: &Asked) -> Result<Self> {
        let made_root = !root.exists();
        let failed = |error: io::Error| {
            Failure::new(format!(
                "cannot use `{}`: {}",
                root.display(),
                plain(&error)
            ))
        };
        fs::create_dir_all(root).map_err(failed)?;
        if fs::read_dir(root).map_err(failed)?.next().is_some() {
            let there = Failure::new(format!("`{}` is not empty", root.display()));
            return Err(if root.join(WORK).join(ASKED).exists() {
                there.hint(format!(
                    "`mcpanel run --resume --out {}` to go on with what was begun there, or `--out` for another folder",
                    shown(root)
                ))
            } else {
                there.hint("`--out` for another folder, or remove this one")
            });
        }
        let folder = Self {
            root: root.to_owned(),
            asked: asked.clone(),
            made_root,
        };
        folder.save().map_err(failed)?;
        Ok(folder)
    }

    /// The folder of a run that was begun before.
    pub fn reopen(root: &Path) -> Result<Self> {
        let path = root.join(WORK).join(ASKED);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let nothing = Failure::new(format!(
                    "there is nothing to resume in `{}`",
                    root.display()
                ));
                return Err(if root.join("report.json").exists() {
                    nothing.hint("the run there is complete: see `report.html` in it")
                } else {
                    nothing
                        .hint("`mcpanel run FILE` to begin, or `--out` for the folder of the run")
                });
            }
            Err(error) => {
                return Err(Failure::new(format!(
                    "cannot read `{}`: {}",
                    path.display(),
                    plain(&error)
                )));
            }
        };
        let asked: Asked = serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!("`{}` is damaged: {error}", path.display()))
                .hint("remove the folder and begin anew")
        })?;
        if asked.format != FORMAT {
            return Err(Failure::new(format!(
                "`{}` has form {}, and this version knows {FORMAT}",
                path.display(),
                asked.format
            ))
            .hint("go on with the version that began"));
        }
        let folder = Self {
            root: root.to_owned(),
            asked,
            made_root: false,
        };
        // What a process that was killed left of its tasks.
        match fs::remove_dir_all(folder.scratch()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "cannot remove old temporary files"),
        }
        Ok(folder)
    }

    /// Where the results go.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The server's data.
    pub fn data(&self) -> PathBuf {
        self.root.join(WORK).join("data")
    }

    /// Files that live as long as a task.
    pub fn scratch(&self) -> PathBuf {
        self.root.join(WORK).join("scratch")
    }

    /// Results before they are complete.
    pub fn results(&self) -> PathBuf {
        self.root.join(WORK).join("results")
    }

    /// Removes the work in progress, with the raw data in it.
    pub fn remove_work(&self) -> Result<()> {
        let work = self.root.join(WORK);
        fs::remove_dir_all(&work).map_err(|error| {
            Failure::new(format!(
                "cannot remove `{}`: {}",
                work.display(),
                plain(&error)
            ))
        })
    }

    /// Leaves no trace of a run that can come to nothing.
    pub fn undo(&self) {
        let undone = self.remove_work().is_ok();
        if undone && self.made_root {
            // Not empty: then somebody put something there, and it stays.
            let _ = fs::remove_dir(&self.root);
        }
    }

    /// Writes what was asked for, whole or not at all.
    fn save(&self) -> io::Result<()> {
        let work = self.root.join(WORK);
        // It will hold raw health data.
        make_private(&work)?;
        let partial = work.join("run.json.partial");
        let mut file = File::create(&partial)?;
        file.write_all(&serde_json::to_vec_pretty(&self.asked)?)?;
        file.sync_all()?;
        fs::rename(&partial, work.join(ASKED))?;
        File::open(&work)?.sync_all()
    }
}

/// The name of a file as the API takes it.
fn file_name(file: &Path) -> Result<String> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .ok_or_else(|| Failure::usage(format!("`{}` is not a file", file.display())))?;
    // A hidden file is a file like any other; its name there may not begin with a dot.
    let name = name.trim_start_matches('.');
    Ok(if name.is_empty() { "input" } else { name }.to_owned())
}

/// What the system says, without its number.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        _ => error.to_string(),
    }
}
