//! Tests that watch the whole: every route, every permission, every body.

mod access;
mod bodies;
mod openapi;
