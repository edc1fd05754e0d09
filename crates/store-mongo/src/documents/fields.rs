//! Writing and reading the fields of one document.

use std::{cell::Cell, str::FromStr};

use mcpanel_domain::Timestamp;
use mongodb::bson::{
    DateTime, RawArray, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf,
    raw::{BindRawBsonRef, CStr},
};

/// Fields of a document that is being written, in their order.
#[derive(Debug, Clone, Default)]
pub struct Fields(RawDocumentBuf);

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field. Names are literals of this crate; one with a NUL would be a mistake in it.
    pub fn put(&mut self, name: &str, value: impl BindRawBsonRef) {
        let name = <&CStr>::try_from(name).expect("field names hold no NUL");
        self.0.append(name, value);
    }

    /// Adds a field where there is something to say.
    pub fn put_opt(&mut self, name: &str, value: Option<impl BindRawBsonRef>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Adds a date.
    pub fn put_date(&mut self, name: &str, at: Timestamp) {
        self.put(name, date(at));
    }

    /// Adds a date where there is one.
    pub fn put_date_opt(&mut self, name: &str, at: Option<Timestamp>) {
        self.put_opt(name, at.map(date));
    }

    /// Adds a number without a sign; those above 2⁶³ are held there.
    pub fn put_u64(&mut self, name: &str, value: u64) {
        self.put(name, long(value));
    }

    /// Adds a list of texts.
    pub fn put_texts<'a>(&mut self, name: &str, texts: impl IntoIterator<Item = &'a str>) {
        let list: RawArrayBuf = texts.into_iter().collect();
        self.put(name, list);
    }

    /// Adds a list of documents.
    pub fn put_all(&mut self, name: &str, all: impl IntoIterator<Item = Fields>) {
        let list: RawArrayBuf = all.into_iter().map(Fields::into_raw).collect();
        self.put(name, list);
    }

    /// Adds a document.
    pub fn put_fields(&mut self, name: &str, fields: Fields) {
        self.put(name, fields.0);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The document.
    pub fn raw(&self) -> &RawDocument {
        &self.0
    }

    /// The document, given away.
    pub fn into_raw(self) -> RawDocumentBuf {
        self.0
    }
}

/// A moment as BSON has it.
pub fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_ms())
}

/// A number as BSON has it.
pub fn long(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A stored document that does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}: field `{field}` is {problem}")]
pub struct Unreadable {
    /// Which document.
    pub document: String,
    /// Which field of it.
    pub field: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Fields of a stored document.
pub struct Reader<'a> {
    fields: Vec<(&'a str, RawBsonRef<'a>)>,
    /// Where the last one was found: they are mostly asked for in the order in which they are stored.
    next: Cell<usize>,
}

type Read<T> = Result<T, Unreadable>;

impl<'a> Reader<'a> {
    /// Looks through a document once.
    pub fn new(document: &'a RawDocument) -> Read<Self> {
        let mut fields = Vec::with_capacity(48);
        for field in document {
            let (name, value) = field.map_err(|_| Unreadable {
                document: "a document".to_owned(),
                field: String::new(),
                problem: "not BSON",
            })?;
            fields.push((name.as_str(), value));
        }
        Ok(Self {
            fields,
            next: Cell::new(0),
        })
    }

    /// A field, if it is there and not null.
    pub fn get(&self, name: &str) -> Option<RawBsonRef<'a>> {
        let start = self.next.get();
        let count = self.fields.len();
        (0..count)
            .map(|step| (start + step) % count)
            .find(|at| self.fields[*at].0 == name)
            .map(|at| {
                self.next.set(at + 1);
                self.fields[at].1
            })
            .filter(|value| !matches!(value, RawBsonRef::Null))
    }

    /// What is wrong with a field, and of which document.
    pub fn problem(&self, name: &str, problem: &'static str) -> Unreadable {
        let id = [
            "task_id",
            "agent_id",
            "pipeline_id",
            "template_id",
            "artifact_id",
            "key_id",
        ]
        .into_iter()
        .find_map(|key| self.get(key).and_then(RawBsonRef::as_str));
        Unreadable {
            document: id.unwrap_or("a document").to_owned(),
            field: name.to_owned(),
            problem,
        }
    }

    fn need<T>(&self, name: &str, found: Option<T>) -> Read<T> {
        found.ok_or_else(|| self.problem(name, "missing or of another type"))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Read<&'a str> {
        let found = self.get(name).and_then(RawBsonRef::as_str);
        self.need(name, found)
    }

    /// A text, if it is there.
    pub fn text_opt(&self, name: &str) -> Read<Option<&'a str>> {
        self.get(name).map(|_| self.text(name)).transpose()
    }

    /// A text that must parse.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Read<T> {
        self.text(name)?
            .parse()
            .map_err(|_| self.problem(name, "not an id"))
    }

    /// A text that must parse, if it is there.
    pub fn parsed_opt<T: FromStr>(&self, name: &str) -> Read<Option<T>> {
        self.get(name).map(|_| self.parsed(name)).transpose()
    }

    /// A word of a known list.
    pub fn word<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Read<T> {
        parse(self.text(name)?).ok_or_else(|| self.problem(name, "not a known word"))
    }

    /// A whole number, of whichever type it is stored (an operator's shell writes doubles).
    pub fn int<T: TryFrom<i64>>(&self, name: &str) -> Read<T> {
        let number = self.get(name).and_then(whole);
        let number = self.need(name, number)?;
        T::try_from(number).map_err(|_| self.problem(name, "out of range"))
    }

    /// A whole number, if it is there.
    pub fn int_opt<T: TryFrom<i64>>(&self, name: &str) -> Read<Option<T>> {
        self.get(name).map(|_| self.int(name)).transpose()
    }

    /// A number.
    pub fn float(&self, name: &str) -> Read<f64> {
        let found = self.get(name);
        let number = found
            .and_then(RawBsonRef::as_f64)
            .or_else(|| found.and_then(whole).map(|whole| whole as f64));
        self.need(name, number)
    }

    /// Yes or no; no when it is not there.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(RawBsonRef::as_bool) == Some(true)
    }

    /// A date.
    pub fn date(&self, name: &str) -> Read<Timestamp> {
        let found = self.get(name).and_then(RawBsonRef::as_datetime);
        self.need(name, found)
            .map(|at| Timestamp::from_ms(at.timestamp_millis()))
    }

    /// A date, if it is there.
    pub fn date_opt(&self, name: &str) -> Read<Option<Timestamp>> {
        self.get(name).map(|_| self.date(name)).transpose()
    }

    /// Bytes.
    pub fn bytes(&self, name: &str) -> Read<&'a [u8]> {
        let found = self.get(name).and_then(RawBsonRef::as_binary);
        self.need(name, found).map(|binary| binary.bytes)
    }

    /// A document, if it is there.
    pub fn inner_opt(&self, name: &str) -> Read<Option<Reader<'a>>> {
        match self.get(name) {
            None => Ok(None),
            Some(found) => {
                let document = self.need(name, found.as_document())?;
                Reader::new(document).map(Some)
            }
        }
    }

    /// A document.
    pub fn inner(&self, name: &str) -> Read<Reader<'a>> {
        let found = self.inner_opt(name)?;
        self.need(name, found)
    }

    fn list(&self, name: &str) -> Read<Option<&'a RawArray>> {
        match self.get(name) {
            None => Ok(None),
            Some(found) => self.need(name, found.as_array()).map(Some),
        }
    }

    /// A list of texts that must parse; empty when it is not there.
    pub fn list_of<T: FromStr>(&self, name: &str) -> Read<Vec<T>> {
        let Some(list) = self.list(name)? else {
            return Ok(Vec::new());
        };
        list.into_iter()
            .map(|each| {
                each.ok()
                    .and_then(RawBsonRef::as_str)
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| self.problem(name, "not a list of the right kind"))
            })
            .collect()
    }

    /// A list of whole numbers; empty when it is not there.
    pub fn list_of_ints<T: TryFrom<i64>>(&self, name: &str) -> Read<Vec<T>> {
        let Some(list) = self.list(name)? else {
            return Ok(Vec::new());
        };
        list.into_iter()
            .map(|each| {
                each.ok()
                    .and_then(whole)
                    .and_then(|number| T::try_from(number).ok())
                    .ok_or_else(|| self.problem(name, "not a list of whole numbers"))
            })
            .collect()
    }

    /// A list of documents; empty when it is not there.
    pub fn inner_all(&self, name: &str) -> Read<Vec<Reader<'a>>> {
        let Some(list) = self.list(name)? else {
            return Ok(Vec::new());
        };
        list.into_iter()
            .map(|each| {
                let document = each.ok().and_then(RawBsonRef::as_document);
                Reader::new(self.need(name, document)?)
            })
            .collect()
    }
}

/// A whole number of any of BSON's types.
pub fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Int32(number) => Some(i64::from(number)),
        RawBsonRef::Int64(number) => Some(number),
        // Whole and exactly kept by a double, so the conversion is exact.
        RawBsonRef::Double(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => {
            Some(number as i64)
        }
        _ => None,
    }
}

/// What makes the stored document the new one: fields to set, and names to remove.
pub fn difference<'n>(old: &RawDocument, new: &'n RawDocument) -> (Fields, Vec<String>) {
    let mut set = Fields::new();
    let stored: Vec<(&str, RawBsonRef<'_>)> = old
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let fresh: Vec<(&'n str, RawBsonRef<'n>)> = new
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let mut at = 0;
    for (name, value) in &fresh {
        // Both are written by the same function, so the same field is usually the next one.
        let found = stored[at..]
            .iter()
            .position(|(other, _)| other == name)
            .map(|step| at + step)
            .or_else(|| stored.iter().position(|(other, _)| other == name));
        match found {
            Some(place) => {
                at = place + 1;
                if stored[place].1 != *value {
                    set.put(name, *value);
                }
            }
            None => set.put(name, *value),
        }
    }
    let gone = stored
        .iter()
        .filter(|(name, _)| !fresh.iter().any(|(other, _)| other == name))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    (set, gone)
}
