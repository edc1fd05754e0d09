//! Tasks: making, reading, steering and holding them.

mod bad_input;
mod batch;
mod create;
mod hold;
mod namespaces;
mod read;
mod steer;
