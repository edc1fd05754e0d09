//! Store ports named by intent, the in-memory store and the conformance suite.
