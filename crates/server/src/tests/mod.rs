//! The edge as a whole, on a small router of its own.

mod access;
mod codes;
mod contract;
mod docs;
mod requests;
mod support;
