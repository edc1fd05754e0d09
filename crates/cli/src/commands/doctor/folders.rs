//! Folders that a server keeps data of people in, and the room on their disk.

use std::{fs, io, path::Path};

use super::finding::Finding;
use crate::output::numbers::bytes;

/// Free bytes below which a server may stop taking tasks any moment: its log grows in pieces of this size.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// Free bytes below which somebody should look soon: about a million tasks with their logs.
const FREE_BYTES_WANTED: u64 = 2 * 1024 * 1024 * 1024;

/// Looks at the folder of a server that runs alone.
pub fn data(folder: &Path) -> Finding {
    look(
        "data folder",
        folder,
        "made by the first start",
        "name another with `--data` or MCPANEL_DATA",
    )
}

/// Looks at a folder for the bytes of artifacts.
pub fn artifacts(folder: &Path) -> Finding {
    look(
        "artifacts",
        folder,
        "made by the first upload",
        "name another with `--artifacts` or MCPANEL_ARTIFACTS, which all instances see",
    )
}

/// Looks at a folder as a server will: it is there, or can be `made`; it can be written, and nobody else looks into it.
fn look(check: &'static str, folder: &Path, made: &str, another: &str) -> Finding {
    let shown = folder.display();
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = existing(folder);
            match is_writable(parent) {
                Ok(()) => Finding::ok(check, format!("`{shown}` is {made}")),
                Err(error) => Finding::problem(
                    check,
                    format!(
                        "`{shown}` is missing, and cannot be made in `{}`: {error}",
                        parent.display()
                    ),
                )
                .hint(another),
            }
        }
        Err(error) => {
            Finding::problem(check, format!("cannot look at `{shown}`: {error}")).hint(another)
        }
        Ok(about) if !about.is_dir() => {
            Finding::problem(check, format!("`{shown}` is not a folder")).hint(another)
        }
        Ok(about) => match is_writable(folder) {
            Err(error) => Finding::problem(check, format!("cannot write in `{shown}`: {error}"))
                .hint("give it to the user that runs the server"),
            Ok(()) => match exposed(&about) {
                Some(mode) => Finding::warning(
                    check,
                    format!("others on this machine can look into `{shown}` (mode {mode:o})"),
                )
                .hint(format!("run `chmod 700 {shown}`: it holds data of people")),
                None => Finding::ok(check, format!("`{shown}` is there and can be written")),
            },
        },
    }
}

/// Looks at how much the folder's disk can take.
pub fn free_space(folder: &Path) -> Finding {
    const CHECK: &str = "free space";
    let folder = existing(folder);
    let shown = folder.display();
    match free_bytes(folder) {
        None => Finding::skipped(CHECK, format!("the system does not tell about `{shown}`")),
        Some(free) if free < FREE_BYTES_MIN => Finding::problem(
            CHECK,
            format!(
                "{} are left at `{shown}`; {} are needed",
                bytes(free),
                bytes(FREE_BYTES_MIN)
            ),
        )
        .hint("free some, or name a folder on another disk with `--data`"),
        Some(free) if free < FREE_BYTES_WANTED => {
            Finding::warning(CHECK, format!("{} are left at `{shown}`", bytes(free))).hint(format!(
                "have {} for a busy server",
                bytes(FREE_BYTES_WANTED)
            ))
        }
        Some(free) => Finding::ok(CHECK, format!("{} are left at `{shown}`", bytes(free))),
    }
}

/// The folder itself, or the nearest above it that is there.
fn existing(folder: &Path) -> &Path {
    let mut at = folder;
    while !at.exists() {
        match at.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => at = parent,
            _ => return Path::new("."),
        }
    }
    at
}

/// Tries to make a file, which is gone again at once.
fn is_writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(|_| ())
}

/// How others on this machine may use it, as `chmod` writes it; none when they may not at all.
#[cfg(unix)]
pub fn exposed(about: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = about.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// How others on this machine may use it: this system does not tell.
#[cfg(not(unix))]
pub fn exposed(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    #[test]
    fn a_folder_is_judged_as_the_server_would_find_it() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("a/b/c");
        assert_eq!(data(&missing).verdict, Verdict::Ok);
        assert!(!missing.exists(), "a look changes nothing");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(data(&file).verdict, Verdict::Problem);
        assert_eq!(free_space(&missing).check, "free space");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |mode| fs::Permissions::from_mode(mode);
            fs::set_permissions(folder.path(), mode(0o755)).unwrap();
            let found = data(folder.path());
            assert_eq!(found.verdict, Verdict::Warning);
            assert!(found.hint.unwrap().contains("chmod 700"));
            fs::set_permissions(folder.path(), mode(0o700)).unwrap();
            assert_eq!(data(folder.path()).verdict, Verdict::Ok);
            assert_eq!(artifacts(folder.path()).verdict, Verdict::Ok);
            fs::set_permissions(folder.path(), mode(0o770)).unwrap();
            let shared = artifacts(folder.path());
            assert_eq!(
                (shared.check, shared.verdict),
                ("artifacts", Verdict::Warning)
            );
        }
    }
}
