//! The REST API over axum: unpack, authorize, call one service function, convert.
//!
//! Nothing here decides anything about tasks, agents or pipelines. What is here is the edge:
//!
//! - [`error`]: the table of public error codes, and [`error::ApiError`], which every handler answers
//! - [`body`]: bodies checked against the schema that the OpenAPI document shows, all faults at once
//! - [`extract`]: what handlers take: bodies, queries, paths, preconditions, idempotency keys
//! - [`auth`]: who calls
//! - [`access`]: the route table, and the one place where routes are guarded
//! - [`cursor`], [`etag`], [`range`]: pages, revisions and pieces
//! - [`rates`]: how many calls a caller may make; [`metrics`]: what machines watch
//! - [`edge`]: request ids, panics, headers, and problems for what axum refuses itself
//! - [`app`], [`service`], `routes`: the state, the whole router, and the endpoints by family
//! - `views`: what the layers below answer, in the words of the wire, and back
//! - `claims`: handing out work: who waits, and what became of answers that nobody took
//! - `transfer`: uploads and downloads
//! - [`trial`]: what is wrong with a request, as far as that is known without a store
//! - `follow`: streams of events
//! - [`realtime`]: what the Socket.IO edge is given of all this
//! - [`serve`], [`stop`]: the server as a process runs it, and the signal to end
//! - [`logging`], `requests`: log lines in the specification's form, one for each request
//! - `dashboard`: the pages at `/`, and what they ask of the server
//! - [`docs`]: `/openapi.json`, `/docs` and `/redoc`, all of them offline

pub mod access;
pub mod app;
pub mod auth;
pub mod body;
mod claims;
pub mod cursor;
mod dashboard;
pub mod docs;
pub mod edge;
pub mod env;
pub mod error;
pub mod etag;
pub mod extract;
mod failure;
mod follow;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod mount;
mod namespace;
pub mod range;
pub mod rates;
pub mod realtime;
mod requests;
mod routes;
pub mod serve;
pub mod service;
pub mod stop;
mod transfer;
pub mod trial;
mod views;

pub use app::App;
pub use error::{ApiError, ApiResult, Code};
pub use service::{openapi, router, table};

#[cfg(test)]
mod tests;
