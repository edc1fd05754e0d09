//! One durable file store with group commit, on SQLite.
