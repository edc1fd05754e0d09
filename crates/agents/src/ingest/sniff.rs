//! What a file is, from its first bytes: compression, encoding, format, delimiter.

use std::{
    io::{self, BufRead, BufReader, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;

use crate::{
    ingest::json_array::ARRAY_KEYS,
    io::source::{MarkedReader, classify},
    parameters::{Parameters, bad},
    stage::StageError,
};

/// How much of the (unpacked) file is looked at.
pub const SNIFF_BYTES: usize = 256 * 1024;

/// The most a compressed file may unpack to: 64 GiB, far above any dataset of questions and answers, and
/// reached by a bomb of 64 MB.
pub const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// The shape of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with a header.
    Csv,
    /// One array of objects.
    Json,
    /// One object per line.
    Jsonl,
}

impl Format {
    /// Its name in parameters and facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        }
    }
}

/// What the user says about the file; the rest is detected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    format: Option<Format>,
    encoding: Option<&'static Encoding>,
    delimiter: Option<u8>,
}

impl Options {
    /// Reads `format`, `encoding` and `delimiter`.
    pub fn from_parameters(parameters: Parameters<'_>) -> Result<Self, StageError> {
        let format = match parameters.text("format")? {
            None => None,
            Some("csv" | "tsv") => Some(Format::Csv),
            Some("json") => Some(Format::Json),
            Some("jsonl" | "ndjson") => Some(Format::Jsonl),
            Some(other) => {
                return Err(bad(
                    "format",
                    format!("`{other}` is none of `csv`, `json`, `jsonl`"),
                ));
            }
        };
        let encoding = match parameters.text("encoding")? {
            None => None,
            Some(label) => Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                bad(
                    "encoding",
                    format!(
                        "`{label}` is no known encoding; try `utf-8`, `windows-1252` or `utf-16le`"
                    ),
                )
            })?),
        };
        let delimiter = match parameters.text("delimiter")? {
            None => None,
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
                _ => {
                    return Err(bad(
                        "delimiter",
                        format!("`{text}` is not one ASCII character"),
                    ));
                }
            },
        };
        Ok(Self {
            format,
            encoding,
            delimiter,
        })
    }
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The shape of the rows.
    pub format: Format,
    /// Name of the encoding, such as `UTF-8`.
    pub encoding: &'static str,
    /// `gzip` or `none`.
    pub compression: &'static str,
    /// The delimiter of delimited text.
    pub delimiter: Option<u8>,
}

/// A file ready to be read as UTF-8.
pub struct Opened {
    /// The unpacked text; UTF-8 if the file keeps its promise.
    pub reader: Box<dyn BufRead + Send>,
    /// What the file is.
    pub facts: Facts,
    /// Bytes of the original file read so far.
    pub bytes_read: Arc<AtomicU64>,
}

/// Finds out what the file is.
pub fn open(
    reader: Box<dyn Read + Send>,
    name: &str,
    options: &Options,
) -> Result<Opened, StageError> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        inner: MarkedReader(reader),
        count: bytes_read.clone(),
    };
    let mut raw = BufReader::with_capacity(64 * 1024, counted);
    let gzip = raw
        .fill_buf()
        .map_err(|error| classify(error, name))?
        .starts_with(&[0x1f, 0x8b]);
    let mut unpacked: Box<dyn Read + Send> = if gzip {
        Box::new(Limited {
            inner: MultiGzDecoder::new(raw),
            left: UNPACKED_BYTES_MAX,
        })
    } else {
        Box::new(raw)
    };

    let mut head = Vec::new();
    (&mut unpacked)
        .take(SNIFF_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| classify(error, name))?;
    if head.is_empty() {
        return Err(StageError::bad_input(
            "empty_file",
            format!("`{name}` is empty"),
        ));
    }
    refuse_binary(&head, name)?;
    let whole = head.len() < SNIFF_BYTES;
    let (encoding, bom) = encoding_of(&head, whole, name, options)?;
    let head = head.split_off(bom);
    let chained = Cursor::new(head).chain(unpacked);
    let mut text: Box<dyn BufRead + Send> = if encoding == UTF_8 {
        Box::new(BufReader::with_capacity(SNIFF_BYTES, chained))
    } else {
        let decoded = Transcoder::new(chained, encoding);
        Box::new(BufReader::with_capacity(SNIFF_BYTES, decoded))
    };

    let start = text.fill_buf().map_err(|error| classify(error, name))?;
    let format = options.format.unwrap_or_else(|| format_of(start));
    let delimiter =
        (format == Format::Csv).then(|| options.delimiter.unwrap_or_else(|| delimiter_of(start)));
    Ok(Opened {
        reader: text,
        facts: Facts {
            format,
            encoding: encoding.name(),
            compression: if gzip { "gzip" } else { "none" },
            delimiter,
        },
        bytes_read,
    })
}

/// Beginnings of files that are no text, and what they are.
const SIGNATURES: [(&[u8], &str); 11] = [
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"ARROW1", "an Arrow file"),
];

fn refuse_binary(head: &[u8], name: &str) -> Result<(), StageError> {
    match SIGNATURES
        .iter()
        .find(|(signature, _)| head.starts_with(signature))
    {
        None => Ok(()),
        Some((_, what)) => Err(StageError::bad_input(
            "unsupported_format",
            format!("`{name}` is {what}; expected CSV, JSON or JSONL, plain or gzip"),
        )),
    }
}

/// The encoding and the length of its byte order mark.
fn encoding_of(
    head: &[u8],
    whole: bool,
    name: &str,
    options: &Options,
) -> Result<(&'static Encoding, usize), StageError> {
    if let Some((encoding, bom)) = Encoding::for_bom(head) {
        return Ok((encoding, bom));
    }
    if let Some(encoding) = options.encoding {
        return Ok((encoding, 0));
    }
    if head.contains(&0) {
        return Err(nul_error(head, name));
    }
    let (mut valid, mut invalid, mut first) = (0u64, 0u64, None);
    let mut offset = 0;
    for chunk in head.utf8_chunks() {
        valid += chunk
            .valid()
            .chars()
            .filter(|letter| !letter.is_ascii())
            .count() as u64;
        offset += chunk.valid().len();
        // The window may end inside a character.
        let cut_off = !whole && offset + chunk.invalid().len() == head.len();
        if !chunk.invalid().is_empty() && !cut_off {
            invalid += 1;
            first.get_or_insert(offset);
        }
        offset += chunk.invalid().len();
    }
    match first {
        Some(offset) if invalid > valid => {
            let around = &head[offset.saturating_sub(12)..head.len().min(offset + 12)];
            let (shown, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(around);
            let shown: String = shown
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            Err(wrong_encoding(
                name,
                &format!(
                    "byte {offset} (0x{:02x}) is not UTF-8; as windows-1252 it would read `…{shown}…`",
                    head[offset]
                ),
            ))
        }
        _ => Ok((UTF_8, 0)),
    }
}

fn nul_error(head: &[u8], name: &str) -> StageError {
    let pairs = (head.len() / 2).max(1);
    let zeros = |start: usize| {
        head.iter()
            .skip(start)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let label = match (zeros(0) * 2 > pairs, zeros(1) * 2 > pairs) {
        (false, true) => UTF_16LE.name(),
        (true, false) => UTF_16BE.name(),
        _ => {
            let offset = head.iter().position(|byte| *byte == 0).unwrap_or_default();
            return StageError::bad_input(
                "unsupported_format",
                format!(
                    "`{name}` is no text: byte {offset} is zero; expected CSV, JSON or JSONL, plain or gzip"
                ),
            );
        }
    };
    StageError::bad_input(
        "wrong_encoding",
        format!(
            "`{name}` looks like {label} without a byte order mark; save it as UTF-8 or pass the parameter \
             `{{\"encoding\": \"{}\"}}`",
            label.to_lowercase()
        ),
    )
}

/// The error of a file that is not UTF-8 although nobody said so.
pub(super) fn wrong_encoding(name: &str, found: &str) -> StageError {
    StageError::bad_input(
        "wrong_encoding",
        format!(
            "`{name}` is not UTF-8: {found}; save it as UTF-8 or pass the parameter \
             `{{\"encoding\": \"windows-1252\"}}`"
        ),
    )
}

fn format_of(start: &[u8]) -> Format {
    let text = start.trim_ascii_start();
    match text.first() {
        Some(b'[') => Format::Json,
        Some(b'{') => {
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let complete = serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(line);
            match complete {
                Ok(object) => {
                    let alone = text[line.len()..].trim_ascii().is_empty();
                    let holds_array = object
                        .iter()
                        .any(|(key, value)| is_array_key(key) && value.is_array());
                    if alone && holds_array {
                        Format::Json
                    } else {
                        Format::Jsonl
                    }
                }
                Err(_) if begins_with_array(text) || line.len() < text.len() => Format::Json,
                Err(_) => Format::Jsonl,
            }
        }
        _ => Format::Csv,
    }
}

fn is_array_key(key: &str) -> bool {
    ARRAY_KEYS.contains(&key.to_lowercase().as_str())
}

/// `{"data": [` at the very beginning: one long line of JSON, not a line of JSONL.
fn begins_with_array(text: &[u8]) -> bool {
    let Some(rest) = text[1..].trim_ascii_start().strip_prefix(b"\"") else {
        return false;
    };
    let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
        return false;
    };
    let key = String::from_utf8_lossy(&rest[..end]);
    let after = rest[end + 1..].trim_ascii_start();
    is_array_key(&key)
        && after
            .strip_prefix(b":")
            .is_some_and(|value| value.trim_ascii_start().starts_with(b"["))
}

/// The delimiter that the header uses most, outside quotes.
fn delimiter_of(start: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => {
                for (delimiter, count) in &mut counts {
                    *count += u32::from(delimiter == byte);
                }
            }
            _ => {}
        }
    }
    let best = counts
        .iter()
        .max_by_key(|(delimiter, count)| (*count, *delimiter == b','));
    best.map_or(b',', |(delimiter, _)| *delimiter)
}

struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

struct Limited<R> {
    inner: R,
    left: u64,
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
struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    output: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Transcoder<R> {
    fn new(inner: R, encoding: &'static Encoding) -> Self {
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

#[cfg(test)]
mod tests;
