//! The router in process, over a store in memory: who is let in, what forms need, what pages show of what others wrote.

mod escaping;
mod journeys;
mod live;
mod rights;
mod signing_in;
mod world;
