//! Sockets, over real connections: what people watch and agents do.

mod agents;
mod bounds;
mod ends;
mod rooms;
mod slow;
mod world;
