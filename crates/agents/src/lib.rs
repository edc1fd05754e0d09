//! The six built-in stage agents: ordinary agents that use the client.
