//! Where the file of an artifact is.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use mcpanel_domain::{ArtifactId, Namespace};
use sha2::{Digest, Sha256};

use super::{ArtifactFiles, Error};
use crate::folder;

/// Bytes that are still coming are here. No namespace begins with a dot.
const INCOMING: &str = ".incoming";

impl ArtifactFiles {
    /// The folders of an artifact, outermost first, and its file.
    ///
    /// It cannot leave the root: namespace and id are of types whose alphabet has no separator and whose
    /// first character is no dot, and what is between them is hexadecimal digits made here. The digits come from a
    /// hash, because ids begin with the time and would fill one folder after the other.
    pub(super) fn place(&self, namespace: &Namespace, id: &ArtifactId) -> Place {
        let digest = Sha256::digest(id.as_str());
        let outer = self.root.join(namespace.as_str());
        let middle = outer.join(format!("{:02x}", digest[0]));
        let inner = middle.join(format!("{:02x}", digest[1]));
        Place {
            file: inner.join(id.as_str()),
            folders: [self.root.clone(), outer, middle, inner],
        }
    }

    /// Where bytes are while they come.
    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }
}

/// Where a file is, and the folders that lead to it.
pub(super) struct Place {
    pub(super) file: PathBuf,
    folders: [PathBuf; 4],
}

impl Place {
    /// Makes the folders that are not there yet.
    pub(super) fn make_folders(&self) -> Result<(), Error> {
        self.folders
            .iter()
            .try_for_each(|folder| make_folder(folder))
    }

    /// Makes the entries of all folders durable. Also those that were there already: whoever made them may not have
    /// come to this line yet. A flush of a folder without changes costs next to nothing.
    pub(super) fn flush_folders(&self) -> Result<(), Error> {
        self.folders.iter().rev().try_for_each(|folder| {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| Error::io("flush an artifact folder", error))
        })
    }
}

/// Makes a folder that only its owner may open, with those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    folder::make_private(path).map_err(|error| Error::io("make an artifact folder", error))
}

/// Makes a new file that only its owner may read and write.
pub(super) fn make_file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
