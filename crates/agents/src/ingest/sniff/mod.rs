//! What a file is, from its first bytes: compression, encoding, format, delimiter.

mod encoding;
mod readers;
mod shape;

use std::{
    io::{BufRead, BufReader, Cursor, Read},
    sync::{Arc, atomic::AtomicU64},
};

use encoding_rs::{Encoding, UTF_8};
use flate2::read::MultiGzDecoder;

pub use self::encoding::wrong_encoding;
use self::{
    encoding::encoding_of,
    readers::{Counted, Limited, Transcoder},
    shape::{delimiter_of, format_of},
};
use crate::{
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

#[cfg(test)]
mod tests;
