//! One flush of the commit log, as bytes.
//!
//! ```text
//! 0   8  magic
//! 8   8  number of the frame
//! 16  8  number of its first event
//! 24  4  length of the body
//! 28  4  CRC-32 of bytes 0..28 and the body
//! 32     body: entries, one for each commit
//! ```

/// `mcplog` and the version of this layout.
const MAGIC: [u8; 8] = *b"mcplog\0\x01";

/// Length of the header.
pub const HEADER_BYTES: usize = 32;

/// Frames begin at multiples of this: the page of disks and of the page cache.
pub const FRAME_ALIGN: usize = 4_096;

/// A frame that is being put together. Its buffer is used again for the next one.
#[derive(Default)]
pub struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    /// Empties it.
    pub fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEADER_BYTES, 0);
    }

    /// Adds an encoded entry.
    pub fn push(&mut self, entry: &[u8]) {
        self.bytes.extend_from_slice(entry);
    }

    /// Writes the header and pads: [`Frame::bytes`] are ready to be written then.
    pub fn finish(&mut self, number: u64, first_seq: u64) {
        let body = u32::try_from(self.bytes.len() - HEADER_BYTES)
            .expect("the queue's bound in bytes is far below 4 GiB");
        self.bytes[..8].copy_from_slice(&MAGIC);
        self.bytes[8..16].copy_from_slice(&number.to_le_bytes());
        self.bytes[16..24].copy_from_slice(&first_seq.to_le_bytes());
        self.bytes[24..28].copy_from_slice(&body.to_le_bytes());
        let sum = checksum(&self.bytes[..28], &self.bytes[HEADER_BYTES..]);
        self.bytes[28..32].copy_from_slice(&sum.to_le_bytes());
        self.bytes
            .resize(self.bytes.len().next_multiple_of(FRAME_ALIGN), 0);
    }

    /// How many bytes it takes in a segment once it is finished.
    pub fn padded_bytes(&self) -> usize {
        self.bytes.len().next_multiple_of(FRAME_ALIGN)
    }

    /// The finished frame.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A whole frame found in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameView<'a> {
    /// Its number.
    pub number: u64,
    /// The number of its first event.
    pub first_seq: u64,
    /// Its entries.
    pub body: &'a [u8],
}

impl<'a> FrameView<'a> {
    /// The frame at the beginning of `bytes`, if a whole and undamaged one is there.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES)?;
        if header[..8] != MAGIC {
            return None;
        }
        let word = |at: usize| -> Option<u64> {
            Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?))
        };
        let half = |at: usize| -> Option<u32> {
            Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?))
        };
        let length = usize::try_from(half(24)?).ok()?;
        let body = bytes.get(HEADER_BYTES..HEADER_BYTES.checked_add(length)?)?;
        (checksum(&header[..28], body) == half(28)?).then_some(Self {
            number: word(8)?,
            first_seq: word(16)?,
            body,
        })
    }

    /// How many bytes it takes in the segment.
    pub fn stride(&self) -> usize {
        (HEADER_BYTES + self.body.len()).next_multiple_of(FRAME_ALIGN)
    }
}

fn checksum(header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(body);
    hasher.finalize()
}
