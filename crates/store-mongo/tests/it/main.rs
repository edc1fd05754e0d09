//! The store over real servers: `MCPANEL_TEST_MONGODB_URI`, and Redis for the part that is in it.

mod mongo_conformance;
mod servers;
