//! What handlers take. Extractors parse and identify; handlers never meet a bad value.

mod idempotency;
mod json;
mod path;
mod prefer;
mod query;

pub use crate::{auth::Caller, etag::IfMatch};
pub use idempotency::{IdempotencyKey, Idempotent, key as idempotency_key};
pub use json::{JsonBody, JsonBodyOrDefault};
pub use path::Path;
pub use prefer::Prefer;
pub use query::Query;
