//! The elements of one large JSON array, one at a time, in bounded memory.
//!
//! The array is the document itself (`[…]`) or a member of a top-level object (`{"data": […]}`). Only the
//! boundaries of an element are found here, by counting brackets outside strings; its content is parsed by
//! whoever asked. Nesting is counted, never recursed into, so no depth can exhaust the stack.

use std::io::BufRead;

use super::ReadError;
use crate::stage::StageError;

/// Names of the member that holds the records.
pub const ARRAY_KEYS: [&str; 8] = [
    "data",
    "records",
    "rows",
    "items",
    "examples",
    "conversations",
    "train",
    "results",
];

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element<'a> {
    /// The bytes of the element.
    Whole(&'a [u8]),
    /// Longer than the bound; its beginning.
    TooLarge(&'a [u8]),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    BeforeFirst,
    AfterElement,
    Done,
}

/// Reads elements.
pub struct JsonArrayReader<R> {
    reader: R,
    bytes_max: usize,
    line: u64,
    offset: u64,
    element_line: u64,
    position: Position,
    buffer: Vec<u8>,
}

impl<R: BufRead> JsonArrayReader<R> {
    /// Elements of the array in `reader`, each at most `bytes_max` bytes.
    pub fn new(reader: R, bytes_max: usize) -> Self {
        Self {
            reader,
            bytes_max,
            line: 1,
            offset: 0,
            element_line: 1,
            position: Position::Start,
            buffer: Vec::new(),
        }
    }

    /// The line on which the element read last begins, from 1.
    pub fn element_line(&self) -> u64 {
        self.element_line
    }

    /// The next element, or nothing after the end of the array.
    pub fn next_element(&mut self) -> Result<Option<Element<'_>>, ReadError> {
        if self.position == Position::Start {
            self.enter()?;
            self.position = Position::BeforeFirst;
        }
        if self.position == Position::Done {
            return Ok(None);
        }
        let mut byte = self.peek_token("an element or `]`")?;
        if byte == b']' {
            self.position = Position::Done;
            return Ok(None);
        }
        if self.position == Position::AfterElement {
            self.expect(b',')?;
            byte = self.peek_token("an element")?;
        }
        if matches!(byte, b',' | b']' | b'}' | b':') {
            return Err(self.broken(&format!(
                "`{}` where an element should begin",
                char::from(byte)
            )));
        }
        self.element_line = self.line;
        let whole = self.value(true)?;
        self.position = Position::AfterElement;
        Ok(Some(if whole {
            Element::Whole(&self.buffer)
        } else {
            Element::TooLarge(&self.buffer)
        }))
    }

    /// Moves into the array.
    fn enter(&mut self) -> Result<(), ReadError> {
        if self.peek_token("`[` or `{`")? == b'[' {
            self.bump()?;
            return Ok(());
        }
        self.expect(b'{')?;
        let mut keys = Vec::new();
        loop {
            match self.peek_token("a member or `}`")? {
                b'}' => {
                    return Err(ReadError::Bad(StageError::bad_input(
                        "no_array",
                        format!(
                            "the JSON object has no list of records: found the members {}; expected one of {} \
                             holding an array, or the array itself",
                            quoted(&keys),
                            quoted(&ARRAY_KEYS.map(str::to_owned)),
                        ),
                    )));
                }
                b',' => {
                    self.bump()?;
                    continue;
                }
                b'"' => {}
                other => {
                    return Err(self.broken(&format!(
                        "`{}` where a member should begin",
                        char::from(other)
                    )));
                }
            }
            self.value(true)?;
            let key: String = serde_json::from_slice(&self.buffer).map_err(|error| {
                self.broken(&format!("a member name that is no text ({error})"))
            })?;
            self.peek_token("`:`")?;
            self.expect(b':')?;
            let opens_array = self.peek_token("a value")? == b'[';
            if opens_array && ARRAY_KEYS.contains(&key.to_lowercase().as_str()) {
                self.bump()?;
                return Ok(());
            }
            self.value(false)?;
            // A document of endless members is not worth listing to its end.
            if keys.len() < 20 {
                keys.push(key);
            }
        }
    }

    /// Reads one value, keeping at most `bytes_max` bytes of it if `keep`; false when it was longer.
    fn value(&mut self, keep: bool) -> Result<bool, ReadError> {
        self.buffer.clear();
        let (mut depth, mut in_string, mut escaped, mut whole) = (0u64, false, false, true);
        let mut first = true;
        loop {
            let Some(byte) = self.peek()? else {
                return Err(
                    self.broken("the end of the file inside a value; the file seems cut off")
                );
            };
            let scalar_ends = depth == 0
                && !in_string
                && !first
                && (matches!(byte, b',' | b']' | b'}' | b':') || byte.is_ascii_whitespace());
            if scalar_ends {
                return Ok(whole);
            }
            self.bump()?;
            if keep {
                if self.buffer.len() < self.bytes_max {
                    self.buffer.push(byte);
                } else {
                    whole = false;
                }
            }
            let began_string = first && byte == b'"';
            first = false;
            if in_string {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => {
                        in_string = false;
                        if depth == 0 {
                            return Ok(whole);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => in_string = began_string || depth > 0,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(whole);
                    }
                }
                _ => {}
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    fn bump(&mut self) -> Result<(), ReadError> {
        if self.peek()? == Some(b'\n') {
            self.line += 1;
        }
        self.offset += 1;
        self.reader.consume(1);
        Ok(())
    }

    fn peek_token(&mut self, wanted: &str) -> Result<u8, ReadError> {
        loop {
            match self.peek()? {
                None => {
                    let problem = format!(
                        "the end of the file where {wanted} should be; the file seems cut off"
                    );
                    return Err(self.broken(&problem));
                }
                Some(byte) if byte.is_ascii_whitespace() => self.bump()?,
                Some(byte) => return Ok(byte),
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), ReadError> {
        match self.peek()? {
            Some(byte) if byte == wanted => self.bump(),
            Some(byte) => Err(self.broken(&format!(
                "`{}` where `{}` should be",
                char::from(byte),
                char::from(wanted)
            ))),
            None => Err(self.broken("the end of the file; the file seems cut off")),
        }
    }

    fn broken(&self, problem: &str) -> ReadError {
        ReadError::Bad(StageError::bad_input(
            "broken_json",
            format!("line {}, byte {}: found {problem}", self.line, self.offset),
        ))
    }
}

/// Names in backticks, separated by commas.
pub(super) fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "(none)".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
