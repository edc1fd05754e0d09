//! The API's own description: `/openapi.json`, and two pages that show it, `/docs` (Swagger UI) and
//! `/redoc`. Everything comes from this binary: the pages work without the internet.

mod openapi;
mod pages;

pub use openapi::{describe, document};
pub use pages::router;
