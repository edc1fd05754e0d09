//! Query strings, checked like bodies: against the schema of their type, all faults at once.

use axum::{extract::FromRequestParts, http::request::Parts};
use mcpanel_domain::Fault;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use crate::{
    body::{self, Shape},
    error::{ApiError, quoted},
    limits::QUERY_BYTES_MAX,
};

/// The parameters of a query string. Unknown and repeated ones are refused; a list is the parameter repeated.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned + ToSchema + 'static,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read<T: DeserializeOwned + ToSchema + 'static>(query: &str) -> Result<T, ApiError> {
    if query.len() > QUERY_BYTES_MAX {
        let detail = format!(
            "the query has {} bytes; at most {QUERY_BYTES_MAX}",
            query.len()
        );
        return Err(ApiError::fault("", "too_long", detail));
    }
    let shape = body::shape_of::<T>();
    let mut found = Map::new();
    let mut repeated = Vec::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(Shape::List { item, .. }) = shape.field(&name).map(inner) {
            let list = found
                .entry(name)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value(item, &text));
            }
        } else if found.contains_key(&*name) {
            let pointer = format!("/{}", quoted(&name));
            repeated.push(Fault::new(pointer, "duplicate", "is there twice"));
        } else {
            let value = value(shape.field(&name).unwrap_or(&Shape::Any), &text);
            found.insert(name.into_owned(), value);
        }
    }
    if !repeated.is_empty() {
        return Err(ApiError::validation(repeated));
    }
    body::read_value(Value::Object(found))
}

fn inner(shape: &Shape) -> &Shape {
    match shape {
        Shape::Nullable(inner) => inner,
        shape => shape,
    }
}

/// The text as the value that its shape wants; as text where it is none, for the check to refuse.
fn value(shape: &Shape, text: &str) -> Value {
    let parsed = match inner(shape) {
        Shape::Integer { .. } => text
            .parse::<i64>()
            .ok()
            .map(Value::from)
            .or_else(|| text.parse::<u64>().ok().map(Value::from)),
        Shape::Number { .. } => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number),
        Shape::Boolean => text.parse().ok().map(Value::Bool),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use mcpanel_api::task::{TaskQuery, TaskStatus};

    use super::*;

    fn pointers(query: &str) -> Vec<(String, String)> {
        let problem = read::<TaskQuery>(query).unwrap_err().problem();
        problem
            .errors
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    }

    #[test]
    fn reads_typed_parameters() {
        let query: TaskQuery =
            read("status=failed&limit=7&pipeline_id=pipe_1&task_type=bias%5Fdetection").unwrap();
        assert_eq!(query.status, Some(TaskStatus::Failed));
        assert_eq!(query.limit, Some(7));
        assert_eq!(query.task_type.unwrap().as_str(), "bias_detection");
        assert_eq!(read::<TaskQuery>("").unwrap(), TaskQuery::default());
    }

    #[test]
    fn lists_every_fault() {
        let mut found = pointers("status=lost&limit=501&stage=x&pipeline_id=..%2Fx&unknown=1");
        found.sort();
        let expected = [
            ("/limit", "out_of_range"),
            ("/pipeline_id", "not_an_id"),
            ("/stage", "wrong_type"),
            ("/status", "unknown_value"),
            ("/unknown", "unknown_field"),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_parameter_that_is_there_twice_is_refused() {
        assert_eq!(
            pointers("limit=1&limit=2"),
            [("/limit".to_owned(), "duplicate".to_owned())]
        );
    }

    #[test]
    fn an_enormous_query_is_refused_before_it_is_read() {
        assert_eq!(
            pointers(&"a=1&".repeat(5_000)),
            [(String::new(), "too_long".to_owned())]
        );
    }
}
