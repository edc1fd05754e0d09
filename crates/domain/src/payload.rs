//! Free-form JSON that the rules carry and never look into.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::value::RawValue;

/// The text of one JSON value, kept as it came but for what means nothing: white space between its tokens, and escapes of
/// characters that need none (`\u00e4` is `ä`; many programs write all text so). Numbers, the order of names and names
/// that come twice stay as they were written.
///
/// Whoever makes one has checked that it is well-formed JSON; the API layer does so while parsing.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Arc<str>);

impl Payload {
    /// Takes JSON text; refuses what is not one well-formed value.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(json).map(Self::from_raw)
    }

    /// Takes a value that a JSON parser has already checked.
    pub fn from_raw(raw: &RawValue) -> Self {
        Self(Arc::from(&*compact(raw.get())))
    }

    /// Takes text that this process stored as JSON before.
    pub fn from_stored(json: &str) -> Self {
        Self(Arc::from(json))
    }

    /// Writes a value as JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|json| Self(Arc::from(json.as_str())))
    }

    /// The empty object `{}`.
    pub fn empty() -> Self {
        Self(Arc::from("{}"))
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Length in bytes.
    pub fn size_bytes(&self) -> usize {
        self.0.len()
    }

    /// Reads the JSON as `T`.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

/// Well-formed JSON without the white space between its tokens, and with one way to write each character of a string.
fn compact(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut kept = String::new();
    // Where the stretch begins that is not in `kept` yet.
    let mut from = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                kept.push_str(&json[from..at]);
                at += 1;
                from = at;
            }
            b'"' => {
                let (length, has_escapes) = string(&bytes[at..]);
                let token = &json[at..at + length];
                if has_escapes && let Some(usual) = rewritten(token) {
                    kept.push_str(&json[from..at]);
                    kept.push_str(&usual);
                    from = at + length;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    if from == 0 {
        return Cow::Borrowed(json);
    }
    kept.push_str(&json[from..]);
    Cow::Owned(kept)
}

/// The length of the string that these bytes begin with, quotes included, and whether it has escapes.
fn string(bytes: &[u8]) -> (usize, bool) {
    let mut has_escapes = false;
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                has_escapes = true;
                at += 1;
            }
            _ => {}
        }
    }
    (at.min(bytes.len()), has_escapes)
}

/// A string token as this server would write it; none where that cannot be (half a surrogate pair is no character), or
/// changes nothing.
fn rewritten(token: &str) -> Option<String> {
    let text: String = serde_json::from_str(token).ok()?;
    let usual = serde_json::to_string(&text).ok()?;
    (usual != token).then_some(usual)
}

impl Default for Payload {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Payload {
    /// Shows the size only: payloads are health data, and debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
            raw.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let raw = Box::<RawValue>::deserialize(deserializer).map_err(D::Error::custom)?;
            Ok(Self::from_raw(&raw))
        } else {
            let text = Cow::<'de, str>::deserialize(deserializer)?;
            Ok(Self(Arc::from(text.as_ref())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_goes_and_nothing_else() {
        for (given, kept) in [
            ("{ \"a\" : [ 1.0 , 2e3 ] }", r#"{"a":[1.0,2e3]}"#),
            ("\n[\ttrue ,\r\nnull ]\n", "[true,null]"),
            (
                r#"{"a b": " c \" d ", "a b": "\\"}"#,
                r#"{"a b":" c \" d ","a b":"\\"}"#,
            ),
            (r#""ä  ö""#, r#""ä  ö""#),
            (
                r#"{"\u00e4":"it\u2019s \ud83d\ude00\/"}"#,
                r#"{"ä":"it’s 😀/"}"#,
            ),
            (r#"["\u0000\n\u001f"]"#, r#"["\u0000\n\u001f"]"#),
            // Half a pair is no character, and stays what it is.
            (r#"{"a": "\ud83d"}"#, r#"{"a":"\ud83d"}"#),
            ("[]", "[]"),
        ] {
            assert_eq!(Payload::parse(given).unwrap().as_str(), kept, "{given}");
            let read: Payload = serde_json::from_str(given).unwrap();
            assert_eq!(read.as_str(), kept, "{given}");
        }
    }

    #[test]
    fn what_was_stored_stays_as_it_is() {
        assert_eq!(Payload::from_stored("{ }").as_str(), "{ }");
    }
}
