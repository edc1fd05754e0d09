//! How a server behaves. The defaults are the bounds of [`limits`](crate::limits).

use std::time::Duration;

use crate::limits::{
    CALLS_BURST_MAX, CALLS_PER_S_MAX, CALLS_REFUSED_MAX, DELIVERY_MS_DEFAULT, FAREWELL_MS_MAX,
    SOCKETS_MAX_DEFAULT, STUCK_MS_MAX, WRITE_MS_MAX,
};

/// How it behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Origins, such as `https://panel.example.org`, whose pages may connect beside those of the server's own address.
    pub origins: Vec<String>,
    /// Sockets at once.
    pub sockets_max: usize,
    /// How long a delivery waits for its acknowledgement, in milliseconds.
    pub delivery_ms: u64,
    /// How many calls one socket may make.
    pub calls: CallRate,
    /// How long one socket is waited for.
    pub patience: Patience,
}

/// How many calls one socket may make.
#[derive(Debug, Clone, Copy)]
pub struct CallRate {
    /// In a second.
    pub per_s: u32,
    /// At once, after a while of none.
    pub burst: u32,
    /// Refused ones within a second after which the socket is ended.
    pub refused_max: u32,
}

/// How long a socket is waited for whose peer does not read.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until it is ended, while there is something for it that it does not take.
    pub stuck: Duration,
    /// Until it is left without having heard why.
    pub farewell: Duration,
    /// Until its connection is cut, while a write stands still.
    pub write: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            sockets_max: SOCKETS_MAX_DEFAULT,
            delivery_ms: DELIVERY_MS_DEFAULT,
            calls: CallRate::default(),
            patience: Patience::default(),
        }
    }
}

impl Default for CallRate {
    fn default() -> Self {
        Self {
            per_s: CALLS_PER_S_MAX,
            burst: CALLS_BURST_MAX,
            refused_max: CALLS_REFUSED_MAX,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stuck: Duration::from_millis(STUCK_MS_MAX),
            farewell: Duration::from_millis(FAREWELL_MS_MAX),
            write: Duration::from_millis(WRITE_MS_MAX),
        }
    }
}
