//! Handing out work over a connection that may break at any moment.
//!
//! A claim that finds nothing waits for work ([`hand_out()`]), within a bound on how many may wait
//! ([`Waiting`]). Leases are granted in a task of their own, because a request that is dropped in the
//! middle of a commit could not tell what it was granted. Whatever was granted and not handed to the connection
//! goes back to the queue at once: [`Granted`](granted::Granted) gives it back when it is dropped, and [`Delivery`] settles it
//! when its bytes are taken. What is lost after that, the agent's next heartbeat tells.

mod delivery;
mod granted;
mod hand_out;
mod waiting;

pub use delivery::Delivery;
pub use hand_out::hand_out;
pub use waiting::Waiting;
