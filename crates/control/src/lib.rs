//! The business layer: load, decide, commit, act; leases, timers, recovery and dispatch.
