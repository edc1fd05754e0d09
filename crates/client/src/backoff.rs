//! Pauses between repetitions.

use std::time::{Duration, Instant};

/// The first pause: a restarted server is back within some hundred milliseconds.
const FIRST: Duration = Duration::from_millis(50);

/// The longest pause: nobody waits noticeably longer than the server is away.
const LONGEST: Duration = Duration::from_secs(2);

/// Doubling pauses with some chance in them, until patience ends.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    until: Option<Instant>,
}

impl Backoff {
    /// Pauses until `patience` has passed.
    pub(crate) fn within(patience: Duration) -> Self {
        Self {
            next: FIRST,
            until: Instant::now().checked_add(patience),
        }
    }

    /// Pauses without end, for loops that end otherwise.
    pub(crate) fn endless() -> Self {
        Self {
            next: FIRST,
            until: None,
        }
    }

    /// The next pause; none when it would end after patience does. `asked` is what the server asked for.
    pub(crate) fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let nominal = self.next;
        self.next = (nominal * 2).min(LONGEST);
        let jittered = nominal.mul_f64(rand::random_range(0.5..=1.0));
        let pause = asked.map_or(jittered, |asked| asked.max(jittered));
        match self.until {
            Some(until) if Instant::now() + pause > until => None,
            _ => Some(pause),
        }
    }

    /// Begins again with short pauses.
    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut backoff = Backoff::endless();
        let pauses: Vec<Duration> = (0..12).filter_map(|_| backoff.pause(None)).collect();
        assert!(pauses[0] <= FIRST);
        assert!(pauses[8] > FIRST);
        assert!(pauses.iter().all(|pause| *pause <= LONGEST));
    }

    #[test]
    fn patience_ends() {
        let mut backoff = Backoff::within(Duration::from_millis(20));
        assert_eq!(backoff.pause(Some(Duration::from_secs(1))), None);
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept() {
        let mut backoff = Backoff::endless();
        let pause = backoff.pause(Some(Duration::from_secs(3))).unwrap();
        assert_eq!(pause, Duration::from_secs(3));
    }
}
