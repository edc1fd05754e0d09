//! A schema made ready for checking.

use serde_json::{Map, Value};
use utoipa::{PartialSchema, ToSchema};

use mcpanel_api::schema::{FILE_NAME_PATTERN, ID_PATTERN, URL_PATTERN};

/// How far references may lead into each other: our bodies are trees of less than ten levels.
const NESTING_MAX: usize = 32;

/// A schema made ready for checking.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Anything.
    Any,
    /// A free-form object, kept as bytes.
    Payload,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer { min: i128, max: i128 },
    /// A number.
    Number { min: f64, max: f64 },
    /// A string.
    Text(Text),
    /// One of these strings.
    Choice(Vec<String>),
    /// A list.
    List {
        item: Box<Shape>,
        min: usize,
        max: usize,
    },
    /// An object with names of the caller's own.
    Dictionary {
        name: Text,
        value: Box<Shape>,
        max: usize,
    },
    /// An object with these fields.
    Record(Record),
    /// This or null.
    Nullable(Box<Shape>),
}

/// Bounds of a string; lengths in characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub min: usize,
    pub max: usize,
    pub look: Look,
}

/// What a string looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Any,
    Id,
    Url,
    FileName,
    Time,
}

/// An object with known fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub fields: Vec<Field>,
    /// Whether other fields are let through.
    pub open: bool,
}

/// A field of a [`Record`].
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub shape: Shape,
    pub required: bool,
}

/// A schema that says something this check does not know. Better no server than one
/// that shows a bound and does not keep it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schema says `{0}`, which body checks do not know")]
pub struct Unsupported(String);

impl Shape {
    /// The shape of a type.
    pub fn of<T: ToSchema>() -> Result<Self, Unsupported> {
        let mut schemas = vec![(T::name().into_owned(), <T as PartialSchema>::schema())];
        T::schemas(&mut schemas);
        let schemas = schemas
            .into_iter()
            .map(|(name, schema)| {
                (
                    name,
                    serde_json::to_value(schema).expect("schemas serialise"),
                )
            })
            .collect();
        Self::of_component(&T::name(), &schemas)
    }

    /// The shape of the component `name` among `schemas` (the `components.schemas` of an OpenAPI document).
    pub fn of_component(name: &str, schemas: &Map<String, Value>) -> Result<Self, Unsupported> {
        let schema = schemas
            .get(name)
            .ok_or_else(|| Unsupported(format!("$ref {name}")))?;
        Compiler { schemas }.compile(schema, 0)
    }

    /// The shape of a field, if this is a record that has it.
    pub fn field(&self, name: &str) -> Option<&Shape> {
        match self {
            Self::Record(record) => record
                .fields
                .iter()
                .find(|field| field.name == name)
                .map(|field| &field.shape),
            _ => None,
        }
    }
}

struct Compiler<'a> {
    schemas: &'a Map<String, Value>,
}

impl Compiler<'_> {
    fn compile(&self, schema: &Value, depth: usize) -> Result<Shape, Unsupported> {
        if depth > NESTING_MAX {
            return Err(Unsupported("a reference to itself".to_owned()));
        }
        let Some(schema) = schema.as_object() else {
            return Ok(Shape::Any);
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.trim_start_matches("#/components/schemas/");
            let target = self
                .schemas
                .get(name)
                .ok_or_else(|| Unsupported(reference.to_owned()))?;
            return self.compile(target, depth + 1);
        }
        for keyword in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema.get(keyword).and_then(Value::as_array) {
                return self.choice(keyword, parts, depth);
            }
        }
        match schema.get("type") {
            None => Ok(Shape::Any),
            Some(Value::String(kind)) => self.typed(kind, schema, depth),
            Some(Value::Array(kinds)) => {
                let (nulls, others): (Vec<_>, Vec<_>) = kinds
                    .iter()
                    .filter_map(Value::as_str)
                    .partition(|kind| *kind == "null");
                let [kind] = others[..] else {
                    return Err(Unsupported(format!("type {kinds:?}")));
                };
                let shape = self.typed(kind, schema, depth)?;
                Ok(if nulls.is_empty() {
                    shape
                } else {
                    nullable(shape)
                })
            }
            Some(other) => Err(Unsupported(format!("type {other}"))),
        }
    }

    /// Either null or one schema: the only choice between shapes that our bodies have.
    fn choice(&self, keyword: &str, parts: &[Value], depth: usize) -> Result<Shape, Unsupported> {
        let is_null = |part: &&Value| part.get("type").and_then(Value::as_str) == Some("null");
        let (nulls, others): (Vec<_>, Vec<_>) = parts.iter().partition(is_null);
        let [other] = others[..] else {
            return Err(Unsupported(format!(
                "{keyword} of {} schemas",
                others.len()
            )));
        };
        let shape = self.compile(other, depth + 1)?;
        Ok(if nulls.is_empty() {
            shape
        } else {
            nullable(shape)
        })
    }

    fn typed(
        &self,
        kind: &str,
        schema: &Map<String, Value>,
        depth: usize,
    ) -> Result<Shape, Unsupported> {
        match kind {
            "boolean" => Ok(Shape::Boolean),
            "integer" => Ok(integer(schema)),
            "number" => Ok(Shape::Number {
                min: schema
                    .get("minimum")
                    .and_then(Value::as_f64)
                    .unwrap_or(f64::MIN),
                max: schema
                    .get("maximum")
                    .and_then(Value::as_f64)
                    .unwrap_or(f64::MAX),
            }),
            "string" => string(schema),
            "array" => Ok(Shape::List {
                item: Box::new(
                    self.compile(schema.get("items").unwrap_or(&Value::Null), depth + 1)?,
                ),
                min: size(schema, "minItems").unwrap_or(0),
                max: size(schema, "maxItems").unwrap_or(usize::MAX),
            }),
            "object" => self.object(schema, depth),
            other => Err(Unsupported(format!("type {other}"))),
        }
    }

    fn object(&self, schema: &Map<String, Value>, depth: usize) -> Result<Shape, Unsupported> {
        let others = schema.get("additionalProperties");
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return match others {
                Some(Value::Object(value)) => self.dictionary(schema, value, depth),
                // A type without fields refuses all; anything else without fields is free-form.
                Some(Value::Bool(false)) => Ok(Shape::Record(Record {
                    fields: Vec::new(),
                    open: false,
                })),
                _ => Ok(Shape::Payload),
            };
        };
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let field = |(name, schema): (&String, &Value)| {
            Ok(Field {
                name: name.clone(),
                shape: self.compile(schema, depth + 1)?,
                required: required.contains(&name.as_str()),
            })
        };
        Ok(Shape::Record(Record {
            fields: properties.iter().map(field).collect::<Result<_, _>>()?,
            open: others != Some(&Value::Bool(false)),
        }))
    }

    fn dictionary(
        &self,
        schema: &Map<String, Value>,
        value: &Map<String, Value>,
        depth: usize,
    ) -> Result<Shape, Unsupported> {
        let name = match schema.get("propertyNames").and_then(Value::as_object) {
            Some(names) => match string(names)? {
                Shape::Text(text) => text,
                _ => return Err(Unsupported("propertyNames that are a choice".to_owned())),
            },
            None => unbounded(),
        };
        Ok(Shape::Dictionary {
            name,
            value: Box::new(self.compile(&Value::Object(value.clone()), depth + 1)?),
            max: size(schema, "maxProperties").unwrap_or(usize::MAX),
        })
    }
}

fn nullable(shape: Shape) -> Shape {
    match shape {
        Shape::Nullable(_) | Shape::Any => shape,
        shape => Shape::Nullable(Box::new(shape)),
    }
}

fn size(schema: &Map<String, Value>, keyword: &str) -> Option<usize> {
    schema
        .get(keyword)?
        .as_u64()
        .and_then(|figure| usize::try_from(figure).ok())
}

fn integer(schema: &Map<String, Value>) -> Shape {
    // utoipa writes the bounds of attributes as `0.0`.
    let bound = |keyword: &str| {
        let figure = schema.get(keyword)?;
        let whole = figure.as_i64().map(i128::from);
        whole.or_else(|| figure.as_f64().map(|figure| figure as i128))
    };
    Shape::Integer {
        min: bound("minimum").unwrap_or(i128::from(i64::MIN)),
        max: bound("maximum").unwrap_or(i128::from(u64::MAX)),
    }
}

fn unbounded() -> Text {
    Text {
        min: 0,
        max: usize::MAX,
        look: Look::Any,
    }
}

fn string(schema: &Map<String, Value>) -> Result<Shape, Unsupported> {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        let options = options
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        return Ok(Shape::Choice(options));
    }
    let look = match (
        schema.get("pattern").and_then(Value::as_str),
        schema.get("format").and_then(Value::as_str),
    ) {
        (None, None) => Look::Any,
        (Some(ID_PATTERN), None) => Look::Id,
        (Some(URL_PATTERN), None) => Look::Url,
        (Some(FILE_NAME_PATTERN), None) => Look::FileName,
        (None, Some("date-time")) => Look::Time,
        (pattern, format) => {
            return Err(Unsupported(format!(
                "pattern {pattern:?}, format {format:?}"
            )));
        }
    };
    Ok(Shape::Text(Text {
        min: size(schema, "minLength").unwrap_or(0),
        max: size(schema, "maxLength").unwrap_or(usize::MAX),
        look,
    }))
}
