//! The bounds of every connection, with the reason for each figure.

/// How long to wait after a failed accept, in milliseconds, so that a lack of file descriptors does not spin.
pub const ACCEPT_PAUSE_MS: u64 = 100;

/// Longest a connection may be idle, or take to send the head of a request, in milliseconds: longer than the
/// 90 s for which usual clients keep idle connections, so that it is they who end them.
pub const IDLE_MS_MAX: u64 = 100_000;

/// Headers of one request. Browsers send about 20.
pub const HEADERS_MAX: usize = 100;

/// Size of a request's head, in bytes: the longest token four times over.
pub const HEADERS_BYTES_MAX: usize = 32 * 1024;
