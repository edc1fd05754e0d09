//! Removing what a crash left: bytes that never came to their end, and files that nobody knows.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use mcpanel_domain::{ArtifactId, Namespace};

use super::{ArtifactFiles, Error, ORPHAN_AGE, Swept, blocking};

impl ArtifactFiles {
    /// Removes files older than [`ORPHAN_AGE`] that `known` does not know, and incoming bytes of that age.
    ///
    /// It goes from folder to folder, so it holds few names at a time. A question that `known` cannot answer keeps
    /// the file.
    pub async fn sweep<K, A>(&self, now: SystemTime, mut known: K) -> Result<Swept, Error>
    where
        K: FnMut(Namespace, ArtifactId) -> A,
        A: Future<Output = bool>,
    {
        let mut swept = Swept::default();
        for path in old_files(self.incoming(), now).await? {
            swept.looked_at += 1;
            swept.removed += u64::from(remove(path).await?);
        }
        for outer in folders(self.root().to_path_buf()).await? {
            let Some(namespace) = name_of(&outer).and_then(|name| Namespace::parse(name).ok())
            else {
                continue;
            };
            for middle in folders(outer).await? {
                for inner in folders(middle).await? {
                    for path in old_files(inner, now).await? {
                        swept.looked_at += 1;
                        let id = name_of(&path).and_then(|name| ArtifactId::parse(name).ok());
                        // Not one of ours: somebody put it there by hand.
                        let Some(id) = id else { continue };
                        if !known(namespace.clone(), id).await {
                            swept.removed += u64::from(remove(path).await?);
                        }
                    }
                }
            }
        }
        Ok(swept)
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

async fn remove(path: PathBuf) -> Result<bool, Error> {
    blocking(move || match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("remove an orphaned file", error)),
    })
    .await
}

/// The folders in a folder; none where there is no such folder. Links are not followed.
async fn folders(path: PathBuf) -> Result<Vec<PathBuf>, Error> {
    blocking(move || {
        entries(&path, |entry| Ok(entry.file_type()?.is_dir()))
            .map_err(|error| Error::io("list an artifact folder", error))
    })
    .await
}

/// The files in a folder that nobody wrote to for a while.
async fn old_files(path: PathBuf, now: SystemTime) -> Result<Vec<PathBuf>, Error> {
    blocking(move || {
        entries(&path, |entry| {
            if !entry.file_type()?.is_file() {
                return Ok(false);
            }
            let written = entry.metadata()?.modified()?;
            Ok(now.duration_since(written).unwrap_or_default() >= ORPHAN_AGE)
        })
        .map_err(|error| Error::io("list an artifact folder", error))
    })
    .await
}

fn entries(
    path: &Path,
    wanted: impl Fn(&fs::DirEntry) -> io::Result<bool>,
) -> io::Result<Vec<PathBuf>> {
    let listing = match fs::read_dir(path) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry?;
        match wanted(&entry) {
            Ok(true) => found.push(entry.path()),
            Ok(false) => {}
            // It went away while we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
