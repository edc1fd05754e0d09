//! HTTP/1.1 within its bounds.

use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;

use crate::limits::{HEADERS_BYTES_MAX, HEADERS_MAX, IDLE_MS_MAX};

/// What serves requests on a connection: heads of a bounded size, within a bounded time.
pub fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(IDLE_MS_MAX))
        .max_headers(HEADERS_MAX)
        .max_header_size(HEADERS_BYTES_MAX);
    http
}
