//! Events: what happened and who did it, newest first, on a page or in a file.

mod backwards;
mod export;
mod filter;
mod list;

pub use export::export;
pub use filter::{NAMES, VIEWS};
pub use list::list;
