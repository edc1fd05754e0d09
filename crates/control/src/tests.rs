//! The managers over the in-memory store, with a clock that is set by hand.

mod agents;
mod artifacts;
mod claiming;
mod creating;
mod events;
mod explaining;
mod history;
mod holding;
mod operations;
mod pipelines;
mod recovery;
mod replaying;
mod retention;
mod steering;
mod world;

use mcpanel_domain::Rejection;

use crate::{Error, Result};
use world::{id, name};

/// The rejection that must be the outcome.
fn refused<T>(outcome: Result<T>) -> Rejection {
    match outcome {
        Err(Error::Rejected(rejection)) => rejection,
        Err(other) => panic!("a rejection is expected, not `{other}`"),
        Ok(_) => panic!("a rejection is expected"),
    }
}

/// The faults that must be the outcome: pointer and code of each.
fn faults<T>(outcome: Result<T>) -> Vec<(String, &'static str)> {
    match refused(outcome) {
        Rejection::Invalid { faults } => {
            let faults = faults.into_iter();
            faults.map(|fault| (fault.pointer, fault.code)).collect()
        }
        other => panic!("faults are expected, not `{other}`"),
    }
}

/// One fault, as [`faults`] tells it.
fn fault(pointer: &str, code: &'static str) -> (String, &'static str) {
    (pointer.to_owned(), code)
}
