//! Callers that ask and do not read. What they hold (a connection, a place among the downloads, a socket, a page of events)
//! is taken back when the line has taken nothing for a while.

use std::{
    future::Future,
    io,
    net::Shutdown,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};

#[cfg(test)]
mod tests;

/// A line that can be cut.
pub trait Line: AsyncRead + AsyncWrite + Unpin {
    /// Ends both directions, so that who reads from it learns of its end too.
    fn cut(&self);
}

impl Line for TcpStream {
    fn cut(&self) {
        if let Err(error) = SockRef::from(self).shutdown(Shutdown::Both) {
            tracing::debug!(%error, "cannot shut a connection down");
        }
    }
}

/// A connection that is cut when writing makes no progress for too long, with its place among them. Reading waits as long
/// as it likes: there are other bounds for that.
pub struct Unstalled<S> {
    inner: S,
    longest: Duration,
    /// Running since a write had to wait.
    waiting: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl<S: Line> Unstalled<S> {
    /// A connection whose writes may stand still for `longest`.
    pub fn new(inner: S, longest: Duration, place: OwnedSemaphorePermit) -> Self {
        Self {
            inner,
            longest,
            waiting: None,
            _place: place,
        }
    }

    /// Passes on what came of a write. A flush is no write: that a socket needs none says nothing about its reader.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let longest = self.longest;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        ready!(waiting.as_mut().poll(context));
        waiting.as_mut().reset(Instant::now() + longest);
        self.inner.cut();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the caller does not read",
        )))
    }
}

impl<S: Line> AsyncRead for Unstalled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: Line> AsyncWrite for Unstalled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
