//! What a run leaves: fetched, gathered, moved into place when all of it is there.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use mcpanel_agents::{job::role, runtime::inputs};
use mcpanel_api::{artifact::Artifact, pipeline::Pipeline};
use mcpanel_client::{Client, transfer::Sha256Hex};

use super::{
    folder::{Folder, plain},
    summary::Summary,
};
use crate::{Failure, Result};

/// The digests of all results, in the form that `sha256sum -c` reads.
const CHECKSUMS: &str = "checksums.sha256";

/// Fetches the results of a completed pipeline into the folder of the run.
pub async fn fetch(client: &Client, pipeline: &Pipeline, folder: &Folder) -> Result<Summary> {
    let results = folder.results();
    match fs::remove_dir_all(&results) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&results)(error)),
    }
    fs::create_dir_all(&results).map_err(failed(&results))?;

    let stages: BTreeSet<u16> = pipeline.stages.iter().map(|stage| stage.stage).collect();
    let made = inputs::made(client, pipeline, &stages).await?;
    for (_, artifact) in made {
        if let Some(place) = place(pipeline, &artifact) {
            put(client, artifact, place, &results).await?;
        }
    }
    let mut files = Vec::new();
    list(&results, Path::new(""), &mut files).map_err(failed(&results))?;
    files.sort();
    write_checksums(&results, &files).map_err(failed(&results))?;
    let summary = Summary::read(pipeline, folder.root(), &results, &files)?;
    move_into_place(&results, folder.root())?;
    Ok(summary)
}

/// Where an artifact belongs.
enum Place {
    /// A file of its own.
    File(PathBuf),
    /// The end of a file that gathers those of all tasks.
    End(PathBuf),
}

fn place(pipeline: &Pipeline, artifact: &Artifact) -> Option<Place> {
    let stage = pipeline
        .stages
        .iter()
        .find(|stage| Some(stage.stage) == artifact.stage)?;
    match artifact.role.as_str() {
        role::DATASET | role::CARD => Some(Place::File(Path::new("dataset").join(&artifact.name))),
        role::REPORT => Some(Place::File(PathBuf::from(&artifact.name))),
        gathered @ (role::REJECTS | role::DROPS | role::REVIEW) if artifact.size_bytes > 0 => {
            let name = format!("{}-{}.jsonl", stage.stage, stage.name);
            Some(Place::End(Path::new(gathered).join(name)))
        }
        // Chunks and counters are on their way only; digests are written anew, with folders.
        _ => None,
    }
}

async fn put(client: &Client, artifact: Artifact, place: Place, results: &Path) -> Result<()> {
    let (Place::File(name) | Place::End(name)) = &place;
    let path = results.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    match place {
        Place::File(_) => client.download_to(artifact, &path).await?,
        Place::End(_) => {
            let mut file = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(failed(&path))?;
            let mut download = client.download(artifact);
            while let Some(chunk) = download.chunk().await? {
                file.write_all(&chunk).map_err(failed(&path))?;
            }
            file.sync_all().map_err(failed(&path))?;
        }
    }
    Ok(())
}

/// All files below `folder`, with paths relative to it.
fn list(folder: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(folder, &name, files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

fn write_checksums(results: &Path, files: &[PathBuf]) -> io::Result<()> {
    let mut text = String::new();
    for file in files {
        let mut sha = Sha256Hex::default();
        io::copy(
            &mut fs::File::open(results.join(file))?,
            &mut Digesting(&mut sha),
        )?;
        text.push_str(&format!("{}  {}\n", sha.finish(), file.display()));
    }
    let mut file = fs::File::create(results.join(CHECKSUMS))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

struct Digesting<'a>(&'a mut Sha256Hex);

impl Write for Digesting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Moves complete results up, the digests last: where they are, everything is. A run that was killed in the
/// middle of this moves again what it has fetched again.
fn move_into_place(results: &Path, root: &Path) -> Result<()> {
    let mut names: Vec<_> = fs::read_dir(results)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(failed(results))?
        .into_iter()
        .map(|entry| entry.file_name())
        .collect();
    names.sort_by_key(|name| (name == CHECKSUMS, name.clone()));
    for name in names {
        let target = root.join(&name);
        if target.is_dir() {
            fs::remove_dir_all(&target).map_err(failed(&target))?;
        }
        fs::rename(results.join(&name), &target).map_err(failed(&target))?;
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Failure + use<> {
    let path = path.to_owned();
    move |error| {
        Failure::new(format!(
            "cannot write `{}`: {}",
            path.display(),
            plain(&error)
        ))
    }
}
