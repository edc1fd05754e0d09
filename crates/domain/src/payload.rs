//! Free-form JSON that the rules carry and never look into.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::value::RawValue;

/// The bytes of one JSON value, kept exactly as they came.
///
/// Whoever makes one has checked that it is well-formed JSON; the API layer does so while parsing.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Arc<str>);

impl Payload {
    /// Takes JSON text; refuses what is not one well-formed value.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(json).map(|raw| Self(Arc::from(raw.get())))
    }

    /// Takes a value that a JSON parser has already checked.
    pub fn from_raw(raw: &RawValue) -> Self {
        Self(Arc::from(raw.get()))
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
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            Ok(Self(Arc::from(text.as_ref())))
        }
    }
}
