//! The pace that a download must keep on the whole. A caller that reads a little now and then keeps its line alive, and
//! could hold a place among the downloads for ever.

use std::{io, time::Duration};

use axum::BoxError;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::time::Instant;

use crate::limits::{DOWNLOAD_BYTES_PER_S_MIN, DOWNLOAD_MS_MIN};

/// Ends `pieces` with an error when they are not through by the time that this many bytes may take.
pub(super) fn keep<S, E>(
    pieces: S,
    length: u64,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<BoxError>,
{
    let end = Instant::now() + allowed(length);
    pieces
        .map(|piece| piece.map_err(Into::into))
        .take_while(move |_| std::future::ready(Instant::now() < end))
        .chain(stream::once(async move {
            if Instant::now() < end {
                Ok(Bytes::new())
            } else {
                let why = "the download took longer than its size allows";
                Err(io::Error::new(io::ErrorKind::TimedOut, why).into())
            }
        }))
}

fn allowed(length: u64) -> Duration {
    Duration::from_millis(DOWNLOAD_MS_MIN) + Duration::from_secs(length / DOWNLOAD_BYTES_PER_S_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(pause: Duration, count: usize) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok(Bytes::from_static(&[0; 1_000]))
        })
    }

    async fn outcome(pause: Duration, count: usize) -> (usize, bool) {
        let length = count as u64 * 1_000;
        let all: Vec<Result<Bytes, BoxError>> = keep(pieces(pause, count), length).collect().await;
        let bytes = all.iter().flatten().map(Bytes::len).sum();
        (bytes, all.iter().any(Result::is_err))
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_at_a_fair_pace_is_whole() {
        assert_eq!(
            outcome(Duration::from_millis(50), 100).await,
            (100_000, false)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_that_trickles_is_cut_off() {
        let (bytes, cut) = outcome(Duration::from_secs(10), 100).await;
        assert!(cut && bytes < 10_000, "{bytes}");
    }
}
