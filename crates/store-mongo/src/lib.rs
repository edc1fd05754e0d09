//! Documents in MongoDB, what can be rebuilt in Redis: one store for many instances.
