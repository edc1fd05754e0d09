//! As much BSON as it takes to set up a replica set: written in full, read with what we do not need left out.

/// A value. Types that nobody here looks at are read as [`Value::Other`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Double(f64),
    String(String),
    Document(Vec<(String, Value)>),
    Array(Vec<Value>),
    Bool(bool),
    Int(i32),
    Other,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl Value {
    pub(super) fn document<const N: usize>(fields: [(&str, Value); N]) -> Self {
        Self::Document(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }

    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Document(fields) => fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The bytes of a document.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        match self {
            Self::Document(fields) => {
                for (name, value) in fields {
                    value.encode_as(name, &mut body);
                }
            }
            Self::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    value.encode_as(&index.to_string(), &mut body);
                }
            }
            _ => {}
        }
        body.push(0);
        let mut bytes = length(body.len() + 4).to_vec();
        bytes.extend(body);
        bytes
    }

    fn encode_as(&self, name: &str, into: &mut Vec<u8>) {
        let (kind, bytes) = match self {
            Self::Double(number) => (0x01, number.to_le_bytes().to_vec()),
            Self::String(text) => {
                let mut bytes = length(text.len() + 1).to_vec();
                bytes.extend(text.as_bytes());
                bytes.push(0);
                (0x02, bytes)
            }
            Self::Document(_) => (0x03, self.encode()),
            Self::Array(_) => (0x04, self.encode()),
            Self::Bool(value) => (0x08, vec![u8::from(*value)]),
            Self::Int(number) => (0x10, number.to_le_bytes().to_vec()),
            Self::Other => (0x0A, Vec::new()),
        };
        into.push(kind);
        into.extend(name.as_bytes());
        into.push(0);
        into.extend(bytes);
    }

    /// Reads a document; `None` when the bytes are none that we understand.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        rest.document().map(Self::Document)
    }
}

fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes)
        .expect("a command is small")
        .to_le_bytes()
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn int(&mut self) -> Option<i32> {
        Some(i32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.int()?).ok()
    }

    fn name(&mut self) -> Option<String> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let name = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Some(name)
    }

    fn document(&mut self) -> Option<Vec<(String, Value)>> {
        let size = self.count()?.checked_sub(4)?;
        let mut body = Rest(self.take(size)?);
        let mut fields = Vec::new();
        loop {
            let kind = body.take(1)?[0];
            if kind == 0 {
                return Some(fields);
            }
            let name = body.name()?;
            fields.push((name, body.value(kind)?));
        }
    }

    fn value(&mut self, kind: u8) -> Option<Value> {
        Some(match kind {
            0x01 => Value::Double(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            0x02 => {
                let size = self.count()?;
                let text = self.take(size)?.strip_suffix(&[0])?;
                Value::String(String::from_utf8_lossy(text).into_owned())
            }
            0x03 => Value::Document(self.document()?),
            0x04 => Value::Array(
                self.document()?
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect(),
            ),
            0x05 => {
                let size = self.count()?;
                self.take(size + 1).map(|_| Value::Other)?
            }
            0x07 => self.take(12).map(|_| Value::Other)?,
            0x08 => Value::Bool(self.take(1)?[0] == 1),
            0x0A => Value::Other,
            0x10 => Value::Int(self.int()?),
            // Dates, timestamps and 64-bit integers.
            0x09 | 0x11 | 0x12 => self.take(8).map(|_| Value::Other)?,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let document = Value::document([
            ("ok", Value::Double(1.0)),
            ("name", Value::from("näme")),
            (
                "members",
                Value::Array(vec![Value::document([("_id", Value::Int(-7))])]),
            ),
            ("primary", Value::Bool(true)),
            ("nothing", Value::Other),
        ]);
        assert_eq!(Value::decode(&document.encode()), Some(document));
    }

    #[test]
    fn broken_bytes_are_refused() {
        let bytes = Value::document([("name", Value::from("value"))]).encode();
        for end in 0..bytes.len() {
            assert_eq!(Value::decode(&bytes[..end]), None, "cut at {end}");
        }
        let huge = [0xFF, 0xFF, 0xFF, 0x7F, 0x02];
        assert_eq!(Value::decode(&huge), None);
    }
}
