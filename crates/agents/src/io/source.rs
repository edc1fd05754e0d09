//! Tells apart a file that is damaged from a machine that could not read it.
//!
//! Decoders (gzip, encodings) answer with `io::Error` both when the bytes are wrong and when the reader
//! below them failed. The first is the user's to repair and is not retried, the second is. So the reader
//! at the bottom marks its own errors.

use std::{
    fmt,
    io::{self, Read},
};

use crate::stage::StageError;

/// A reader whose own failures can be recognised above any number of decoders.
pub struct MarkedReader<R>(pub R);

#[derive(Debug)]
struct ReadFailure(io::Error);

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for ReadFailure {}

impl<R: Read> Read for MarkedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => {
                    return other.map_err(|error| io::Error::new(error.kind(), ReadFailure(error)));
                }
            }
        }
    }
}

/// A damaged file becomes [`StageError::BadInput`], a failed read becomes [`StageError::Io`].
pub fn classify(error: io::Error, name: &str) -> StageError {
    let read_failed = error
        .get_ref()
        .is_some_and(|inner| inner.is::<ReadFailure>());
    if read_failed {
        return StageError::io(format!("reading `{name}`"))(error);
    }
    StageError::bad_input(
        "damaged_file",
        format!("`{name}` is damaged: {error}; upload an undamaged copy"),
    )
}
