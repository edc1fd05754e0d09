//! Delimited text (CSV, TSV, `;`), one row at a time, in bounded memory.
//!
//! The rules are RFC 4180 as lenient readers apply it: a field that begins with a quote ends with the next
//! single quote, two quotes are one, and rows end with `\n`, `\r\n` or `\r`. The usual library grows its
//! buffer with the row; one forgotten quote in a large file would then hold the rest of the file in memory.
//! Here a row has a bound, its first line is known, and an unclosed quote is told as such.

use std::io::{self, BufRead};

/// Columns of a row that are kept; the widest public tables have some hundred.
pub const COLUMNS_MAX: usize = 2000;

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Whole.
    Whole,
    /// It has more bytes or columns than the bound; only the beginning is kept.
    TooLarge,
    /// The file ended inside quotes.
    UnclosedQuote,
}

/// One row, its fields back to back.
#[derive(Debug, Default)]
pub struct DelimitedRow {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The line on which it begins, from 1.
    pub line: u64,
}

impl DelimitedRow {
    /// The fields.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let field = &self.bytes[start..*end];
            start = *end;
            field
        })
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without fields.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All fields back to back.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

/// Reads rows.
pub struct DelimitedReader<R> {
    reader: R,
    delimiter: u8,
    bytes_max: usize,
    line: u64,
    after_return: bool,
}

impl<R: BufRead> DelimitedReader<R> {
    /// Rows of `reader`, each at most `bytes_max` bytes.
    pub fn new(reader: R, delimiter: u8, bytes_max: usize) -> Self {
        Self {
            reader,
            delimiter,
            bytes_max,
            line: 1,
            after_return: false,
        }
    }

    /// Reads the next row into `row`; nothing at the end. Empty lines are no rows.
    pub fn read(&mut self, row: &mut DelimitedRow) -> io::Result<Option<Ended>> {
        row.bytes.clear();
        row.ends.clear();
        let mut state = State::FieldStart;
        let mut too_large = false;
        let mut begun = false;
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                if !begun {
                    return Ok(None);
                }
                row.ends.push(row.bytes.len());
                return Ok(Some(match (too_large, state) {
                    (true, _) => Ended::TooLarge,
                    (false, State::Quoted) => Ended::UnclosedQuote,
                    (false, _) => Ended::Whole,
                }));
            }
            let mut used = 0;
            let mut row_ended = false;
            for &byte in available {
                used += 1;
                let line_feed_of_pair = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if (byte == b'\n' && !line_feed_of_pair) || byte == b'\r' {
                    self.line += 1;
                }
                if state != State::Quoted && (byte == b'\n' || byte == b'\r') {
                    if begun {
                        row_ended = true;
                        break;
                    }
                    continue; // an empty line, or the second half of `\r\n`
                }
                if !begun {
                    begun = true;
                    row.line = self.line;
                }
                state = match (state, byte) {
                    (State::FieldStart, b'"') => State::Quoted,
                    (State::Quoted, b'"') => State::QuoteInQuoted,
                    (State::Quoted, _) => {
                        too_large |= !push(row, byte, self.bytes_max);
                        State::Quoted
                    }
                    (State::QuoteInQuoted, b'"') => {
                        too_large |= !push(row, byte, self.bytes_max);
                        State::Quoted
                    }
                    (_, byte) if byte == self.delimiter => {
                        if row.ends.len() < COLUMNS_MAX {
                            row.ends.push(row.bytes.len());
                        } else {
                            too_large = true;
                        }
                        State::FieldStart
                    }
                    (_, byte) => {
                        too_large |= !push(row, byte, self.bytes_max);
                        State::Plain
                    }
                };
            }
            self.reader.consume(used);
            if row_ended {
                row.ends.push(row.bytes.len());
                return Ok(Some(if too_large {
                    Ended::TooLarge
                } else {
                    Ended::Whole
                }));
            }
        }
    }
}

fn push(row: &mut DelimitedRow, byte: u8, bytes_max: usize) -> bool {
    let room = row.bytes.len() < bytes_max;
    if room {
        row.bytes.push(byte);
    }
    room
}

#[cfg(test)]
mod tests;
