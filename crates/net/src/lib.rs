//! Connections: taken one by one, each with its bounds.
//!
//! The API and the sockets listen on ports of their own and serve different things; what a connection may cost is the same
//! for both and stands here: a place among so many ([`accept()`]), heads of a bounded size ([`http()`]), and a line that is
//! cut when its peer takes nothing for too long ([`Unstalled`]).

mod accept;
mod http;
pub mod limits;
mod stall;

pub use accept::accept;
pub use http::http;
pub use stall::{Line, Unstalled};
