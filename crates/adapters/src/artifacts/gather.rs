//! Gathering the pieces of an upload into steps that are worth one write.

use std::error::Error as StdError;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::Error;

/// Bytes gathered before they are hashed and written, so that the trip to a blocking thread pays; with
/// the piece that is coming, all that one upload holds in memory.
const WRITE_BYTES: usize = 1024 * 1024;

/// The next pieces, and whether there may be more after them.
pub(super) async fn gather<S, E>(bytes: &mut S, received: u64) -> Result<(Vec<Bytes>, bool), Error>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut pieces = Vec::new();
    let mut size = 0;
    while size < WRITE_BYTES {
        match bytes.next().await {
            Some(Ok(piece)) => {
                size += piece.len();
                pieces.push(piece);
            }
            Some(Err(error)) => {
                return Err(Error::BrokenOff {
                    after: received + size as u64,
                    source: error.into(),
                });
            }
            None => return Ok((pieces, false)),
        }
    }
    Ok((pieces, true))
}
