//! Commits of a moderate size.

use mcpanel_domain::log::Line;
use mcpanel_store::Write;

use crate::{Error, copy::Copy};

/// Most bytes of payloads and logs in one commit: a quarter of what one transaction of the usual stores may have.
pub(crate) const COMMIT_BYTES: usize = 4 * 1024 * 1024;
/// Most documents in one commit.
pub(crate) const COMMIT_WRITES: usize = 250;
/// What a line of a log takes beside its message, in bytes: numbers, a moment, and their names.
const LINE_BYTES: usize = 64;

/// The next commit, which is made when it is large enough.
pub(crate) struct Portion<'a> {
    copy: &'a Copy<'a>,
    writes: Vec<Write>,
    bytes: usize,
}

impl<'a> Portion<'a> {
    /// Nothing yet.
    pub(crate) fn new(copy: &'a Copy<'a>) -> Self {
        Self {
            copy,
            writes: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds what has so many bytes; before that, commits what it would make too large.
    pub(crate) async fn add(&mut self, write: Write, bytes: usize) -> Result<(), Error> {
        if self.bytes + bytes > COMMIT_BYTES || self.writes.len() >= COMMIT_WRITES {
            self.commit().await?;
        }
        self.bytes += bytes;
        self.writes.push(write);
        Ok(())
    }

    /// Commits what there is.
    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        self.copy.write(std::mem::take(&mut self.writes)).await
    }
}

/// Lines in pieces of at most so many bytes, or one line where that has more; each with its bytes.
pub(crate) fn pieces(lines: Vec<Line>, bytes_max: usize) -> Vec<(Vec<Line>, usize)> {
    let mut pieces: Vec<(Vec<Line>, usize)> = Vec::new();
    for line in lines {
        let bytes = LINE_BYTES + line.message.len();
        match pieces.last_mut() {
            Some((piece, held)) if *held + bytes <= bytes_max => {
                piece.push(line);
                *held += bytes;
            }
            _ => pieces.push((vec![line], bytes)),
        }
    }
    pieces
}
