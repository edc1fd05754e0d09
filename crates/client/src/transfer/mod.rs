//! The bytes of artifacts, streamed: memory stays flat whatever the size of a file.
//!
//! Every transfer is checked against the SHA-256 that the other side names, and a file under the wanted name is
//! always a whole one: downloads go to a file beside it that is renamed at the end.

mod digest;
mod download;
mod upload;

pub use digest::Sha256Hex;
pub use download::Download;
