//! JSON documents from a file or stdin: one, or many one after the other.
//!
//! Documents are read as they are needed, so that a file may be of any size; a single document may not. They may
//! be a line each or spread over lines.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    marker::PhantomData,
    path::Path,
};

use serde::de::DeserializeOwned;

use crate::{Failure, Result};

/// Largest document, in bytes: what the server takes as one body.
const DOCUMENT_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// What stands for stdin in place of a file.
const STDIN: &str = "-";

/// Documents on their way in.
pub struct Documents<T> {
    source: String,
    input: Measured<Box<dyn BufRead + Send>>,
    is_begun: bool,
    /// Whether they are the items of one list, which is no form that is taken.
    is_list: bool,
    documents: PhantomData<fn() -> T>,
}

/// A document, and where it begins.
#[derive(Debug, PartialEq)]
pub struct Document<T> {
    /// The line, from 1.
    pub line: u64,
    /// What it says.
    pub body: T,
}

impl<T: DeserializeOwned> Documents<T> {
    /// Opens a file; `-` is stdin.
    pub fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == STDIN {
            return Ok(Self::new("stdin", Box::new(BufReader::new(io::stdin()))));
        }
        let shown = path.display();
        let unreadable = |error: io::Error| {
            Failure::new(format!("cannot read `{shown}`: {error}"))
                .hint("name a file, or `-` for stdin")
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(Failure::new(format!("`{shown}` is a folder"))
                .hint("name a file, or `-` for stdin"));
        }
        Ok(Self::new(
            &shown.to_string(),
            Box::new(BufReader::new(file)),
        ))
    }

    fn new(source: &str, input: Box<dyn BufRead + Send>) -> Self {
        Self {
            source: source.to_owned(),
            input: Measured {
                inner: input,
                left: 0,
                lines: 0,
                last: [b'\n'; 2],
                again: None,
            },
            is_begun: false,
            is_list: false,
            documents: PhantomData,
        }
    }

    /// The next document; none at the end.
    pub fn next(&mut self) -> Result<Option<Document<T>>> {
        self.input.left = DOCUMENT_BYTES_MAX;
        let Some(first) = self.skip_blank()? else {
            return Ok(None);
        };
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let line = self.input.lines + 1;
        if first != b'{' {
            // Later in the file it is a line that is wrong by itself.
            self.is_list = first == b'[' && is_first;
            let (found, hint) = match first {
                b'[' => (
                    "`[`".to_owned(),
                    "write one object after the other: `jq -c '.[]'` makes them of an array",
                ),
                b' '..=b'~' => (
                    format!("`{}`", char::from(first)),
                    "write one object after the other, each in `{` and `}`",
                ),
                _ => (
                    format!("byte {first:#04x}"),
                    "save it as text in UTF-8, one JSON object after the other",
                ),
            };
            return Err(self
                .wrong(line, &format!("{found} is no JSON object"))
                .hint(hint));
        }
        let mut reader = serde_json::Deserializer::from_reader(&mut self.input);
        let error = match serde_path_to_error::deserialize(&mut reader) {
            Ok(body) => return Ok(Some(Document { line, body })),
            Err(error) => error,
        };
        let field = error.path().to_string();
        let error = error.into_inner();
        if error.is_io() {
            return Err(self.wrong(line, &error.to_string()));
        }
        let at = line + u64::try_from(error.line()).unwrap_or(1).saturating_sub(1);
        let why = without_place(&error.to_string());
        if !error.is_data() && self.input.has_run_on() {
            return Err(self.wrong(
                line,
                &format!("the object does not end before the next line begins one: {why}"),
            ));
        }
        // What is no JSON has no fields, and an unknown one is named already.
        let is_told = matches!(field.as_str(), "." | "?") || why.contains(&format!("`{field}`"));
        match is_told || !error.is_data() {
            true => Err(self.wrong(at, &why)),
            false => Err(self.wrong(at, &format!("`{field}`: {why}"))),
        }
    }

    /// Goes on after a fault, to the next line that begins with an object; whether there may be one. What lies
    /// between is part of what is wrong.
    pub fn recover(&mut self) -> Result<bool> {
        if self.is_list {
            return Ok(false);
        }
        if self.input.has_run_on() {
            self.input.again = Some(b'{');
            return Ok(true);
        }
        if !self.input.last.ends_with(b"\n") {
            self.skip_line()?;
        }
        loop {
            match self.buffered()?.first() {
                Some(b'{') => return Ok(true),
                Some(_) => self.skip_line()?,
                None => return Ok(false),
            }
        }
    }

    /// The only document there is.
    pub fn only(mut self) -> Result<T> {
        let Some(document) = self.next()? else {
            return Err(
                Failure::usage(format!("`{}` is empty", self.source)).hint("write one JSON object")
            );
        };
        match self.skip_blank()? {
            None => Ok(document.body),
            Some(_) => {
                let line = self.input.lines + 1;
                Err(self.wrong(line, "something follows the object; only one is taken here"))
            }
        }
    }

    /// Where it is read from, for people.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn wrong(&self, line: u64, why: &str) -> Failure {
        Failure::usage(format!("`{}` line {line}: {why}", self.source))
    }

    /// The next byte that means something, which stays unread.
    fn skip_blank(&mut self) -> Result<Option<u8>> {
        // A byte order mark, as some editors of Windows write it, is blank as well.
        let is_blank =
            |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf);
        loop {
            if let Some(byte) = self.input.again {
                return Ok(Some(byte));
            }
            let bytes = self.buffered()?;
            let (found, skipped) = (bytes.len(), bytes.iter().take_while(is_blank).count());
            let next = bytes.get(skipped).copied();
            self.input.skip(skipped);
            if next.is_some() || found == 0 {
                return Ok(next);
            }
        }
    }

    /// Skips what is left of a line, with its end.
    fn skip_line(&mut self) -> Result<()> {
        loop {
            let bytes = self.buffered()?;
            let (found, end) = (bytes.len(), bytes.iter().position(|byte| *byte == b'\n'));
            self.input.skip(end.map_or(found, |end| end + 1));
            if end.is_some() || found == 0 {
                return Ok(());
            }
        }
    }

    /// What has been read ahead; nothing at the end.
    fn buffered(&mut self) -> Result<&[u8]> {
        let source = &self.source;
        let bytes = self.input.inner.fill_buf();
        bytes.map_err(|error| Failure::new(format!("cannot read `{source}`: {error}")))
    }
}

/// A reader that counts lines, and stops where a document is too large.
struct Measured<R> {
    inner: R,
    left: u64,
    lines: u64,
    /// The last two bytes that were taken; what comes first begins a line.
    last: [u8; 2],
    /// A byte that was taken too early, and comes again.
    again: Option<u8>,
}

impl<R: BufRead> Measured<R> {
    /// Whether the document went on into a line that begins like another.
    fn has_run_on(&self) -> bool {
        &self.last == b"\n{" && DOCUMENT_BYTES_MAX - self.left > 1
    }

    /// Takes bytes that were read ahead.
    fn skip(&mut self, count: usize) {
        // Shorter than `count` it cannot be: these bytes are there.
        if let Ok(bytes) = self.inner.fill_buf() {
            note(&mut self.lines, &mut self.last, &bytes[..count]);
        }
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::Error::other(format!(
                "the object is longer than {DOCUMENT_BYTES_MAX} bytes"
            )));
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let room = buffer.len().min(room);
        let read = match self.again.take_if(|_| room > 0) {
            Some(byte) => {
                buffer[0] = byte;
                1
            }
            None => self.inner.read(&mut buffer[..room])?,
        };
        self.left -= read as u64;
        note(&mut self.lines, &mut self.last, &buffer[..read]);
        Ok(read)
    }
}

/// Counts what was taken.
fn note(lines: &mut u64, last: &mut [u8; 2], bytes: &[u8]) {
    *lines += newlines(bytes);
    match bytes {
        [] => {}
        [byte] => *last = [last[1], *byte],
        [.., before, byte] => *last = [*before, *byte],
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// serde_json's message without its own line, which counts from the object.
fn without_place(message: &str) -> String {
    match message.rsplit_once(" at line ") {
        Some((words, _)) => words.to_owned(),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Words = BTreeMap<String, u32>;

    fn documents(text: &'static str) -> Documents<Words> {
        Documents::new(
            "stdin",
            Box::new(BufReader::with_capacity(3, text.as_bytes())),
        )
    }

    fn all(text: &'static str) -> Result<Vec<u64>> {
        let mut documents = documents(text);
        let mut lines = Vec::new();
        while let Some(document) = documents.next()? {
            lines.push(document.line);
        }
        Ok(lines)
    }

    #[test]
    fn documents_may_be_a_line_each_or_spread_over_lines() {
        let text = "\u{feff}{\"a\":1}\n\n{\n  \"a\": 2\n}{\"a\":3}\r\n {\"a\":4}";
        assert_eq!(all(text).unwrap(), [1, 3, 5, 6]);
        assert_eq!(all(" \n ").unwrap(), Vec::<u64>::new());
    }

    #[test]
    fn faults_name_their_line() {
        let faults = [
            (
                "{\"a\":1}\n{\"a\":\n\"x\"}",
                "line 3: `a`: invalid type: string",
            ),
            ("{\"a\":1}\n[1]", "line 2: `[` is no JSON object"),
            ("{\"a\":1", "line 1"),
            ("{\"a\":1}\n\n}", "line 3"),
        ];
        for (text, expected) in faults {
            let failure = all(text).unwrap_err();
            assert!(failure.what.contains(expected), "{}", failure.what);
            assert_eq!(failure.exit, crate::exit::Exit::Usage);
        }
    }

    #[test]
    fn after_a_fault_the_next_line_that_begins_an_object_is_read() {
        let texts = [
            // No object at all, a comma too many, text without end, an object without end, a bracket too many.
            "x\n{\"a\":1}",
            "{\"a\":1,}\n{\"a\":1}",
            "{\"a\n{\"a\":1}",
            "{\"a\":1\n{\"a\":1}",
            "{\"a\":}}\n{\"a\":1}",
            "{\n  \"a\": 1,\n  b\n}\n{\"a\":1}",
        ];
        for text in texts {
            let mut documents = documents(text);
            assert!(documents.next().is_err(), "{text}");
            assert!(documents.recover().unwrap(), "{text}");
            let next = documents.next().unwrap().unwrap();
            assert_eq!(next.line, text.lines().count() as u64, "{text}");
            assert!(documents.next().unwrap().is_none(), "{text}");
        }
        // Nothing follows, or what follows belongs to a list.
        for text in ["{", "x", "{\"a\"\n", "[\n{\"a\":1},\n{\"a\":2}\n]"] {
            let mut documents = documents(text);
            assert!(documents.next().is_err(), "{text}");
            assert!(!documents.recover().unwrap(), "{text}");
        }
    }

    #[test]
    fn an_object_without_end_is_told_where_it_begins() {
        let failure = all("{\"a\":1}\n{\"a\":1\n{\"a\":1}").unwrap_err();
        let told = "line 2: the object does not end before the next line begins one";
        assert!(failure.what.contains(told), "{}", failure.what);
    }

    #[test]
    fn a_document_without_end_is_refused_before_it_fills_memory() {
        let endless = io::Cursor::new(b"{\"").chain(io::repeat(b'a'));
        let input = Box::new(BufReader::new(endless));
        let failure = Documents::<Words>::new("stdin", input).next().unwrap_err();
        assert!(
            failure.what.contains("longer than 10485760 bytes"),
            "{}",
            failure.what
        );
    }

    #[test]
    fn one_is_one() {
        assert_eq!(documents("{\"a\":1}\n").only().unwrap().len(), 1);
        assert!(documents("").only().is_err());
        assert!(documents("{\"a\":1} {}").only().is_err());
    }
}
