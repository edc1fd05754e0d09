//! The REST API over axum.
