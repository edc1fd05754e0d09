//! One walk over a JSON text that finds everything the shape does not allow.

use std::{borrow::Cow, fmt};

use mcpanel_domain::{Fault, limits::PAYLOAD_BYTES_MAX};
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    faults::{Faults, Step},
    shape::{Record, Shape, Text},
    text,
};
use crate::error::quoted;

/// Every fault of `json`, at most [`FAULTS_MAX`](crate::limits::FAULTS_MAX); an error when it is no JSON.
pub(super) fn check(shape: &Shape, json: &str) -> Result<Vec<Fault>, serde_json::Error> {
    let mut faults = Faults::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Walk {
        shape,
        faults: &mut faults,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(faults.found)
}

/// A value on its way past its shape.
struct Walk<'s, 'f> {
    shape: &'s Shape,
    faults: &'f mut Faults<'s>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            Shape::Any => IgnoredAny::deserialize(deserializer).map(drop),
            Shape::Payload => self.payload(<&RawValue>::deserialize(deserializer)?, false),
            Shape::Nullable(inner) if **inner == Shape::Payload => {
                self.payload(<&RawValue>::deserialize(deserializer)?, true)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'s> Walk<'s, '_> {
    /// The shape without its null.
    fn inner(&self) -> &'s Shape {
        match self.shape {
            Shape::Nullable(inner) => inner,
            shape => shape,
        }
    }

    fn payload<E>(self, raw: &RawValue, nullable: bool) -> Result<(), E> {
        let json = raw.get();
        if json.len() > PAYLOAD_BYTES_MAX {
            let detail = format!(
                "has {} bytes; at most {PAYLOAD_BYTES_MAX}, larger data travels as an artifact",
                json.len()
            );
            self.faults.add("too_large", detail);
        } else if !(json.starts_with('{') || nullable && json == "null") {
            let found = match json.as_bytes().first() {
                Some(b'[') => "a list",
                Some(b'"') => "text",
                Some(b't' | b'f') => "true or false",
                Some(b'n') => "null",
                _ => "a number",
            };
            self.faults
                .add("wrong_type", format!("is {found}; must be an object"));
        }
        Ok(())
    }

    fn wrong<E>(self, found: &str) -> Result<(), E> {
        let wanted = match self.inner() {
            Shape::Any | Shape::Nullable(_) => "something else",
            Shape::Payload | Shape::Dictionary { .. } | Shape::Record(_) => "an object",
            Shape::Boolean => "true or false",
            Shape::Integer { .. } => "a whole number",
            Shape::Number { .. } => "a number",
            Shape::Text(_) | Shape::Choice(_) => "text",
            Shape::List { .. } => "a list",
        };
        let or_null = if matches!(self.shape, Shape::Nullable(_)) {
            " or null"
        } else {
            ""
        };
        self.faults.add(
            "wrong_type",
            format!("is {found}; must be {wanted}{or_null}"),
        );
        Ok(())
    }

    fn integer<E>(self, value: i128) -> Result<(), E> {
        match *self.inner() {
            Shape::Integer { min, max } if value < min || value > max => {
                self.faults
                    .add("out_of_range", out_of_range(value, min, max));
            }
            Shape::Number { min, max } if (value as f64) < min || (value as f64) > max => {
                self.faults
                    .add("out_of_range", out_of_range(value, min, max));
            }
            Shape::Integer { .. } | Shape::Number { .. } => {}
            _ => return self.wrong("a number"),
        }
        Ok(())
    }

    fn record<'de, A: MapAccess<'de>>(
        self,
        record: &'s Record,
        mut map: A,
    ) -> Result<(), A::Error> {
        let mut seen = vec![false; record.fields.len()];
        while let Some(Key(name)) = map.next_key()? {
            let Some(at) = record.fields.iter().position(|field| field.name == name) else {
                map.next_value::<IgnoredAny>()?;
                if !record.open {
                    let step = Step::Name(name.into_owned());
                    self.faults.add_at(step, "unknown_field", unknown(record));
                }
                continue;
            };
            let field = &record.fields[at];
            self.faults.path.push(Step::Field(&field.name));
            if std::mem::replace(&mut seen[at], true) {
                self.faults.add("duplicate", "is there twice");
            }
            map.next_value_seed(Walk {
                shape: &field.shape,
                faults: &mut *self.faults,
            })?;
            self.faults.path.pop();
        }
        for (field, _) in record
            .fields
            .iter()
            .zip(seen)
            .filter(|(field, seen)| field.required && !seen)
        {
            self.faults
                .add_at(Step::Field(&field.name), "required", "is missing");
        }
        Ok(())
    }

    fn dictionary<'de, A: MapAccess<'de>>(
        self,
        names: &'s Text,
        value: &'s Shape,
        max: usize,
        mut map: A,
    ) -> Result<(), A::Error> {
        let mut count = 0_usize;
        while let Some(Key(name)) = map.next_key()? {
            count += 1;
            self.faults.path.push(Step::Name(name.clone().into_owned()));
            if let Some((code, detail)) = text::fault(names, &name) {
                self.faults.add(code, format!("its name {detail}"));
            }
            map.next_value_seed(Walk {
                shape: value,
                faults: &mut *self.faults,
            })?;
            self.faults.path.pop();
        }
        if count > max {
            self.faults
                .add("too_many", format!("has {count} entries; at most {max}"));
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        match self.shape {
            Shape::Nullable(_) => Ok(()),
            _ => self.wrong("null"),
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        match self.inner() {
            Shape::Boolean => Ok(()),
            _ => self.wrong("true or false"),
        }
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.integer(i128::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.integer(i128::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        match *self.inner() {
            Shape::Number { min, max } if value < min || value > max => {
                self.faults
                    .add("out_of_range", out_of_range(value, min, max));
                Ok(())
            }
            Shape::Number { .. } => Ok(()),
            _ => self.wrong("a number with a fraction or exponent"),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        match self.inner() {
            Shape::Text(text) => {
                if let Some((code, detail)) = text::fault(text, value) {
                    self.faults.add(code, detail);
                }
                Ok(())
            }
            Shape::Choice(options) => {
                if !options.iter().any(|option| option == value) {
                    let options = listed(options.iter().map(String::as_str));
                    self.faults.add(
                        "unknown_value",
                        format!("is `{}`; must be one of {options}", quoted(value)),
                    );
                }
                Ok(())
            }
            _ => self.wrong("text"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Shape::List { item, min, max } = self.inner() else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return self.wrong("a list");
        };
        let mut count = 0_usize;
        loop {
            self.faults.path.push(Step::Item(count));
            let next = seq.next_element_seed(Walk {
                shape: item,
                faults: &mut *self.faults,
            });
            self.faults.path.pop();
            if next?.is_none() {
                break;
            }
            count += 1;
        }
        if count < *min {
            self.faults
                .add("too_few", format!("has {count} items; at least {min}"));
        } else if count > *max {
            self.faults
                .add("too_many", format!("has {count} items; at most {max}"));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.inner() {
            Shape::Record(record) => self.record(record, map),
            Shape::Dictionary { name, value, max } => self.dictionary(name, value, *max, map),
            _ => {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.wrong("an object")
            }
        }
    }
}

/// A name in an object, borrowed where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl<'de> Visitor<'de> for Name {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Name).map_err(D::Error::custom)
    }
}

fn out_of_range<N: fmt::Display + PartialOrd + Copy>(
    value: N,
    min: impl fmt::Display,
    max: impl fmt::Display,
) -> String {
    format!("is {value}; must be from {min} to {max}")
}

fn unknown(record: &Record) -> String {
    if record.fields.is_empty() {
        return "is not known here; no field is".to_owned();
    }
    format!(
        "is not known here; known are {}",
        listed(record.fields.iter().map(|field| field.name.as_str()))
    )
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
