//! The typed client, used by the CLI and the built-in agents.
