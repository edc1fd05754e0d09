//! Ids and numbers in paths. What cannot be one names something that does not exist.

use axum::{
    extract::{FromRequestParts, Path as AxumPath, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Code, quoted};

/// The parameters of a path: an id, a number, or a tuple of them.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match AxumPath::<T>::from_request_parts(parts, state).await {
            Ok(AxumPath(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(&rejection, parts.uri.path())),
        }
    }
}

fn refused(rejection: &PathRejection, path: &str) -> ApiError {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return ApiError::internal(rejection.to_string());
    };
    let path = quoted(path);
    let detail = match failed.kind() {
        ErrorKind::ParseErrorAtKey { value, .. }
        | ErrorKind::ParseErrorAtIndex { value, .. }
        | ErrorKind::ParseError { value, .. } => {
            format!(
                "nothing at `{path}`: `{}` is no number of a stage or version",
                quoted(value)
            )
        }
        ErrorKind::DeserializeError { value, message, .. } => {
            format!(
                "nothing at `{path}`: `{}` is no id: it {message}",
                quoted(value)
            )
        }
        ErrorKind::Message(message) => format!("nothing at `{path}`: the id {message}"),
        ErrorKind::InvalidUtf8InPathParam { .. } => format!("nothing at `{path}`: it is not UTF-8"),
        // What is left is a handler that asks for parameters its route does not have.
        other => return ApiError::internal(other.to_string()),
    };
    ApiError::new(Code::NotFound, detail)
}
