//! The embedded store from outside.

mod conformance;
