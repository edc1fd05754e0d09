//! Where servers are: ports of the loopback address, folders below the target directory.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::Error;

/// Ports that are looked at: below those that systems give to outgoing connections (32768 on Linux), so that a server
/// which is started anew finds its port free.
const PORT_FIRST: u16 = 20_000;
const PORT_END: u16 = 32_000;
/// Ports that are tried before giving up. The range is nearly empty on any machine.
const PORT_TRIES: usize = 1_000;

/// A port of the loopback address that nobody listens on.
pub fn free_port() -> Result<u16, Error> {
    let span = u64::from(PORT_END - PORT_FIRST);
    for _ in 0..PORT_TRIES {
        // A new RandomState is random; so two programs that ask at once do not get the same.
        let offset = RandomState::new().hash_one(0) % span;
        let port = PORT_FIRST + u16::try_from(offset).unwrap_or(0);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::NoPort {
        from: PORT_FIRST,
        to: PORT_END,
    })
}

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate lies two folders below the root")
}

/// The target directory: `CARGO_TARGET_DIR`, or `target` of the workspace.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), |dir| workspace().join(dir))
}

/// Makes a new, empty folder below the target directory for what one run keeps.
pub fn run_folder(name: &str) -> Result<PathBuf, Error> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = target()
        .join("test-servers")
        .join(format!("{name}-{}-{number}", std::process::id()));
    // A process of the same number may have left one.
    if let Err(source) = fs::remove_dir_all(&path)
        && source.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Error::files("empty the folder", path, source));
    }
    fs::create_dir_all(&path)
        .map_err(|source| Error::files("make the folder", path.clone(), source))?;
    Ok(path)
}

/// Finds a program as a shell would, by the directories of `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
