//! Readers that count, bound and decode.

use std::{
    io::{self, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use encoding_rs::{CoderResult, Decoder, Encoding};

use super::UNPACKED_BYTES_MAX;

/// Counts the bytes that go through.
pub(super) struct Counted<R> {
    pub inner: R,
    pub count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends with an error behind a number of bytes.
pub(super) struct Limited<R> {
    pub inner: R,
    pub left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let problem = format!("it unpacks to more than {UNPACKED_BYTES_MAX} bytes");
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })?;
        Ok(read)
    }
}

/// Turns another encoding into UTF-8; what cannot be decoded becomes U+FFFD, which rejects its row.
pub(super) struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    output: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Transcoder<R> {
    /// Decodes `inner`, whose byte order mark is gone already.
    pub fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: vec![0; 16 * 1024],
            output: Cursor::new(Vec::new()),
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = self.inner.read(&mut self.input)?;
        self.ended = read == 0;
        let mut output = std::mem::take(self.output.get_mut());
        output.clear();
        let room = self
            .decoder
            .max_utf8_buffer_length(read)
            .unwrap_or(self.input.len() * 4);
        output.resize(room, 0);
        let (result, _, written, _) =
            self.decoder
                .decode_to_utf8(&self.input[..read], &mut output, self.ended);
        debug_assert_eq!(
            result,
            CoderResult::InputEmpty,
            "the buffer is sized for the worst case"
        );
        output.truncate(written);
        self.output = Cursor::new(output);
        Ok(())
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.output.read(buffer)?;
            if read > 0 || self.ended {
                return Ok(read);
            }
            self.refill()?;
            if self.ended && self.output.get_ref().is_empty() {
                return Ok(0);
            }
        }
    }
}
