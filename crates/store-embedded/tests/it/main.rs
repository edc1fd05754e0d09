//! The embedded store from outside.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod conformance;
mod copying;
mod crash;
mod damage;
mod forms;
mod full;
mod lock;
mod looks;
mod model;
mod retention;
mod support;
