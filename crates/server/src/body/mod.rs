//! Bodies are checked against the schema that the OpenAPI document shows, before they are parsed.
//!
//! A [`Shape`] is a schema made ready for checking. A check walks over the JSON text once, allocates nothing
//! while all is well, and finds every fault, with its pointer, where serde would stop at the first.
//! So the documented bounds are the enforced ones, and there is no second list of them.

mod depth;
mod faults;
mod shape;
mod syntax;
mod text;
mod walk;

use std::{any::TypeId, collections::HashMap, sync::OnceLock};

use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

pub use shape::{Shape, Unsupported};

use crate::error::{ApiError, Code};

/// Reads a body as `T`: UTF-8, depth, every bound of the schema, then the type itself.
pub fn read<T: DeserializeOwned + ToSchema + 'static>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = syntax::text(bytes)?;
    depth::check(text)?;
    read_text(text)
}

fn read_text<T: DeserializeOwned + ToSchema + 'static>(text: &str) -> Result<T, ApiError> {
    let shape = shape_of::<T>();
    let faults = walk::check(shape, text).map_err(|error| syntax::malformed(text, &error))?;
    if !faults.is_empty() {
        return Err(ApiError::validation(faults));
    }
    parse(text)
}

/// Reads an already parsed value as `T`, for input that came in another form than JSON.
pub(crate) fn read_value<T: DeserializeOwned + ToSchema + 'static>(
    value: serde_json::Value,
) -> Result<T, ApiError> {
    read_text(&value.to_string())
}

/// Parses what the schema allows. What remains to be wrong is what a schema cannot say.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|_| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Err(error) => ApiError::fault(pointer(error.path()), "invalid", reason(error.inner())),
            // Only trailing text is left, which the walk has refused before.
            Ok(_) => ApiError::new(Code::MalformedJson, "the body goes on after its end"),
        }
    })
}

/// The shape of `T`, made once.
pub fn shape_of<T: ToSchema + 'static>() -> &'static Shape {
    static SHAPES: OnceLock<RwLock<HashMap<TypeId, &'static Shape>>> = OnceLock::new();
    let shapes = SHAPES.get_or_init(RwLock::default);
    let id = TypeId::of::<T>();
    if let Some(shape) = shapes.read().get(&id) {
        return shape;
    }
    let shape =
        Shape::of::<T>().expect("a test makes the shape of every schema in the OpenAPI document");
    // One leak for each type, for as long as the process lives.
    shapes
        .write()
        .entry(id)
        .or_insert_with(|| Box::leak(Box::new(shape)))
}

/// A JSON pointer from serde's path.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", faults::escaped(key)),
            Segment::Enum { variant } => format!("/{}", faults::escaped(variant)),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// serde's words without the line and column, which the pointer replaces.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
