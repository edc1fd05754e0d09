//! Lines of bounded length from a stream of unbounded length.

use std::io::{self, BufRead};

/// What stands on a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The bytes without the line end.
    Whole(&'a [u8]),
    /// Longer than the bound; the first bytes of it, the rest is skipped.
    TooLong(&'a [u8]),
}

/// Reads lines, holding at most one of at most `bytes_max` bytes.
pub struct LineReader<R> {
    reader: R,
    bytes_max: usize,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> LineReader<R> {
    /// Lines of `reader`, each at most `bytes_max` bytes.
    pub fn new(reader: R, bytes_max: usize) -> Self {
        Self {
            reader,
            bytes_max,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// The number of the line read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or nothing at the end.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                break;
            }
            any = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            let room = self.bytes_max.saturating_sub(self.buffer.len());
            too_long |= part.len() > room;
            self.buffer.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(available.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if too_long {
            return Ok(Some(Line::TooLong(&self.buffer)));
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        Ok(Some(Line::Whole(&self.buffer)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(text: &str, bytes_max: usize) -> Vec<(u64, String, bool)> {
        // A tiny buffer makes every line cross a buffer's end.
        let mut reader = LineReader::new(BufReader::with_capacity(3, text.as_bytes()), bytes_max);
        let mut found = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            let (bytes, whole) = match line {
                Line::Whole(bytes) => (bytes, true),
                Line::TooLong(bytes) => (bytes, false),
            };
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            found.push((reader.number(), text, whole));
        }
        found
    }

    #[test]
    fn reads_unix_and_windows_line_ends_and_a_last_line_without_one() {
        let found = lines("one\r\n\ntwo\nthree", 100);
        let texts: Vec<_> = found
            .iter()
            .map(|(number, text, _)| (*number, text.as_str()))
            .collect();
        assert_eq!(texts, [(1, "one"), (2, ""), (3, "two"), (4, "three")]);
    }

    #[test]
    fn skips_the_rest_of_a_line_beyond_the_bound_and_goes_on() {
        let found = lines("abcdefghij\nok\n", 5);
        assert_eq!(found, [(1, "abcde".into(), false), (2, "ok".into(), true)]);
    }

    #[test]
    fn a_line_of_exactly_the_bound_is_whole() {
        assert_eq!(lines("abcde\n", 5), [(1, "abcde".into(), true)]);
    }
}
