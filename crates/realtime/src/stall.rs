//! A connection that is cut when its peer takes nothing for too long.
//!
//! A websocket's writer waits for its peer, and everything that waits for the writer waits along, so that a peer that
//! reads nothing and keeps the connection up would hold a socket for ever. Here a write that stands still ends both directions.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep},
};

use crate::limits::WRITE_MS_MAX;

/// A connection, with its place among them.
pub(crate) struct Stall {
    stream: TcpStream,
    /// Runs while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Stall {
    pub(crate) fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            timer: None,
            _place: place,
        }
    }

    /// What a write that came to this means for the connection.
    fn watch<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let time = Duration::from_millis(WRITE_MS_MAX);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(time)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        // Cut for reading too: who reads from this connection learns of its end there.
        if let Err(error) = socket2::SockRef::from(&self.stream).shutdown(std::net::Shutdown::Both)
        {
            tracing::debug!(%error, "cannot shut a connection down");
        }
        timer.as_mut().reset(Instant::now() + time);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stall {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stall {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.watch(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, split},
        net::TcpListener,
        sync::Semaphore,
    };

    use super::*;

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_cut_in_both_directions() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let places = Arc::new(Semaphore::new(1));
        let place = places.clone().acquire_owned().await.unwrap();
        let (mut reader, mut writer) = split(Stall::new(stream, place));
        // From here on time passes whenever everybody waits.
        tokio::time::pause();
        let reading = tokio::spawn(async move { reader.read(&mut [0; 16]).await });
        let began = Instant::now();
        let error = loop {
            if let Err(error) = writer.write_all(&[7; 64 * 1024]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(WRITE_MS_MAX));
        assert!(matches!(reading.await.unwrap(), Ok(0) | Err(_)));
        drop(writer);
        assert_eq!(places.available_permits(), 1);
        drop(peer);
    }
}
