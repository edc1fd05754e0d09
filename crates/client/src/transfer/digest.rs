//! SHA-256 as the API writes it.

use std::{fmt::Write as _, io::Read, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Read at a time; larger reads are not faster on common disks.
const BUFFER_BYTES: usize = 128 * 1024;

/// Takes bytes, and answers with their SHA-256 in lower-case hex.
#[derive(Debug, Clone, Default)]
pub struct Sha256Hex(Sha256);

impl Sha256Hex {
    /// More bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in lower-case hex.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The length and the digest of a file, read once; blocks.
pub(super) fn of_file(path: &Path) -> Result<(u64, [u8; 32])> {
    let failed = |source| Error::File {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut sha = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size = 0;
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok((size, sha.finalize().into())),
            read => {
                sha.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

/// The digest of bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The digest as a header of RFC 9530 writes it.
pub(super) fn field(digest: &[u8; 32]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(digest))
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
