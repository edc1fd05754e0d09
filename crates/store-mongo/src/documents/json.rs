//! JSON as BSON, where nothing is lost on the way there and back.
//!
//! Callers get the text of a [`Payload`](mcpanel_domain::Payload) back byte for byte. The usual survives as BSON; text with
//! exponents, enormous numbers, repeated names, `$` names or deep nesting does not, and is kept
//! as text instead.

use std::fmt;

use mongodb::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, raw::CStr};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// Nesting that is kept as BSON: MongoDB refuses documents deeper than 100 levels, and shells show far fewer.
const DEPTH_MAX: usize = 60;

/// Names of one object that are compared with each other for repeats; objects of more are kept as text.
const NAMES_MAX: usize = 512;

/// The BSON of a JSON text, if reading it back gives the same bytes.
pub fn to_bson(text: &str) -> Option<RawBson> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Build { depth: 0 }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    let mut back = String::with_capacity(text.len());
    write(value.as_raw_bson_ref(), &mut back)?;
    (back == text).then_some(value)
}

/// The compact JSON of a BSON value that [`to_bson`] made; none for types that JSON has not.
pub fn to_json(value: RawBsonRef<'_>) -> Option<String> {
    let mut text = String::with_capacity(128);
    write(value, &mut text)?;
    Some(text)
}

fn write(value: RawBsonRef<'_>, into: &mut String) -> Option<()> {
    match value {
        RawBsonRef::Null => into.push_str("null"),
        RawBsonRef::Boolean(flag) => into.push_str(if flag { "true" } else { "false" }),
        RawBsonRef::Int32(number) => into.push_str(&number.to_string()),
        RawBsonRef::Int64(number) => into.push_str(&number.to_string()),
        RawBsonRef::Double(number) => into.push_str(&serde_json::to_string(&number).ok()?),
        RawBsonRef::String(text) => write_text(text, into)?,
        RawBsonRef::Array(list) => {
            into.push('[');
            for (at, each) in list.into_iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                write(each.ok()?, into)?;
            }
            into.push(']');
        }
        RawBsonRef::Document(document) => {
            into.push('{');
            for (at, field) in document.into_iter().enumerate() {
                let (name, each) = field.ok()?;
                if at > 0 {
                    into.push(',');
                }
                write_text(name.as_str(), into)?;
                into.push(':');
                write(each, into)?;
            }
            into.push('}');
        }
        _ => return None,
    }
    Some(())
}

fn write_text(text: &str, into: &mut String) -> Option<()> {
    into.push_str(&serde_json::to_string(text).ok()?);
    Some(())
}

/// Builds BSON while JSON is read.
#[derive(Clone, Copy)]
struct Build {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Build {
    type Value = RawBson;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<RawBson, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Build {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> Visitor<'de> for Build {
    type Value = RawBson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<RawBson, E> {
        Ok(RawBson::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<RawBson, E> {
        Ok(RawBson::Boolean(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<RawBson, E> {
        Ok(match i32::try_from(number) {
            Ok(small) => RawBson::Int32(small),
            Err(_) => RawBson::Int64(number),
        })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<RawBson, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::custom("above 2^63")),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<RawBson, E> {
        Ok(RawBson::Double(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RawBson, E> {
        Ok(RawBson::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<RawBson, A::Error> {
        let inside = self.inside()?;
        let mut list = RawArrayBuf::new();
        while let Some(each) = from.next_element_seed(inside)? {
            list.push(each);
        }
        Ok(RawBson::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<RawBson, A::Error> {
        let inside = self.inside()?;
        let mut document = RawDocumentBuf::new();
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = from.next_key::<String>()? {
            let key = <&CStr>::try_from(name.as_str())
                .map_err(|_| A::Error::custom("a name with a NUL"))?;
            if name.starts_with('$') || names.len() >= NAMES_MAX || names.contains(&name) {
                return Err(A::Error::custom(
                    "a name that MongoDB would treat differently",
                ));
            }
            document.append(key, from.next_value_seed(inside)?);
            names.push(name);
        }
        Ok(RawBson::Document(document))
    }
}
