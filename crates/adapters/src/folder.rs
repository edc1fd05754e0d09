//! Folders for data of people: nobody else on the machine may look into them.

use std::{fs::DirBuilder, io, path::Path};

/// Makes a folder that only its owner may open, with those above it; one that is there stays as it is.
pub fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_private_folder_is_its_owners_alone_as_are_those_above_it() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        make_private(&inner).unwrap();
        make_private(&inner).unwrap();
        for folder in [root.path().join("a"), inner] {
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }
}
