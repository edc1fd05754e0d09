//! How much one socket may ask for: so many calls a second, so many and so much at once.

use tokio::time::Instant;

use crate::{
    limits::{CALL_BYTES_QUEUED_MAX, CALLS_QUEUED_MAX},
    settings::CallRate,
};

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is taken, and [`Flood::done`] is called after it.
    Taken,
    /// It is refused, for this reason.
    Refused(&'static str),
    /// The socket did not listen to many refusals: it is ended.
    Ended,
}

/// The bounds of one socket and how far they are used.
pub(crate) struct Flood {
    rate: CallRate,
    tokens: f64,
    at: Instant,
    refused: f64,
    queued: usize,
    queued_bytes: usize,
}

impl Flood {
    pub(crate) fn new(rate: CallRate, now: Instant) -> Self {
        Self {
            rate,
            tokens: f64::from(rate.burst),
            at: now,
            refused: 0.0,
            queued: 0,
            queued_bytes: 0,
        }
    }

    /// Judges a call of so many bytes.
    pub(crate) fn take(&mut self, bytes: usize, now: Instant) -> Verdict {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        let burst = f64::from(self.rate.burst);
        let refused_max = f64::from(self.rate.refused_max);
        self.tokens = (self.tokens + passed * f64::from(self.rate.per_s)).min(burst);
        self.refused = (self.refused - passed * refused_max).max(0.0);
        let why = if self.tokens < 1.0 {
            "too many calls a second"
        } else if self.queued >= CALLS_QUEUED_MAX {
            "too many calls are under way; wait for acknowledgements"
        } else if self.queued > 0 && self.queued_bytes + bytes > CALL_BYTES_QUEUED_MAX {
            "too many bytes are under way; wait for acknowledgements"
        } else {
            self.tokens -= 1.0;
            self.queued += 1;
            self.queued_bytes += bytes;
            return Verdict::Taken;
        };
        self.refused += 1.0;
        if self.refused > refused_max {
            Verdict::Ended
        } else {
            Verdict::Refused(why)
        }
    }

    /// A call that was taken is over.
    pub(crate) fn done(&mut self, bytes: usize) {
        self.queued = self.queued.saturating_sub(1);
        self.queued_bytes = self.queued_bytes.saturating_sub(bytes);
    }
}

/// So many of something a second, for all sockets together.
pub(crate) struct Rate {
    per_s: f64,
    tokens: f64,
    at: Instant,
}

impl Rate {
    pub(crate) fn new(per_s: u32, now: Instant) -> Self {
        let per_s = f64::from(per_s);
        Self {
            per_s,
            tokens: per_s,
            at: now,
        }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + passed * self.per_s).min(self.per_s);
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::{CALLS_BURST_MAX, CALLS_PER_S_MAX, CALLS_REFUSED_MAX};

    #[test]
    fn a_burst_is_taken_and_then_so_many_a_second() {
        let start = Instant::now();
        let mut flood = Flood::new(CallRate::default(), start);
        for _ in 0..CALLS_BURST_MAX {
            assert_eq!(flood.take(10, start), Verdict::Taken);
            flood.done(10);
        }
        assert!(matches!(flood.take(10, start), Verdict::Refused(_)));
        let later = start + Duration::from_millis(100);
        let taken = (0..CALLS_PER_S_MAX)
            .filter(|_| {
                let taken = flood.take(10, later) == Verdict::Taken;
                if taken {
                    flood.done(10);
                }
                taken
            })
            .count();
        assert_eq!(taken, CALLS_PER_S_MAX as usize / 10);
    }

    #[test]
    fn who_does_not_listen_is_ended() {
        let now = Instant::now();
        let mut flood = Flood::new(CallRate::default(), now);
        for _ in 0..CALLS_QUEUED_MAX {
            assert_eq!(flood.take(1, now), Verdict::Taken);
        }
        for _ in 0..CALLS_REFUSED_MAX {
            assert!(matches!(flood.take(1, now), Verdict::Refused(_)));
        }
        assert_eq!(flood.take(1, now), Verdict::Ended);
    }

    #[test]
    fn bytes_under_way_are_bounded_but_one_call_always_goes() {
        let now = Instant::now();
        let mut flood = Flood::new(CallRate::default(), now);
        let large = CALL_BYTES_QUEUED_MAX + 1;
        assert_eq!(flood.take(large, now), Verdict::Taken);
        assert!(matches!(flood.take(1, now), Verdict::Refused(_)));
        flood.done(large);
        assert_eq!(flood.take(1, now), Verdict::Taken);
    }

    #[test]
    fn a_rate_comes_back_with_time() {
        let start = Instant::now();
        let mut rate = Rate::new(2, start);
        assert!(rate.take(start) && rate.take(start) && !rate.take(start));
        assert!(rate.take(start + Duration::from_millis(500)));
    }
}
