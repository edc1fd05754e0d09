//! Points in time, as the rules see them: whole milliseconds since the Unix epoch, in UTC.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::limits::CLOCK_AHEAD_MS_MAX;

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is RFC 3339 with milliseconds (`2026-01-02T03:04:05.678Z`); in the store a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59.999Z, the last moment RFC 3339 can write.
const LAST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The Unix epoch.
    pub const ZERO: Self = Self(0);
    /// The last moment that can be written.
    pub const MAX: Self = Self(LAST_MS);

    /// From milliseconds since the epoch, held within the years 1970 to 9999.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(0, LAST_MS))
    }

    /// Milliseconds since the epoch.
    pub fn as_ms(self) -> i64 {
        self.0
    }

    /// This moment and `ms` milliseconds more, at most [`Timestamp::MAX`].
    pub fn plus_ms(self, ms: u64) -> Self {
        Self::from_ms(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// This moment and `ms` milliseconds less, at least the epoch.
    pub fn minus_ms(self, ms: u64) -> Self {
        Self::from_ms(self.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this moment; zero when `earlier` is later.
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// When a document is changed now that was last changed at `changed`. Clocks of several servers differ a little and
    /// are corrected by a little, so a document does not travel back in time. One that lies further ahead than
    /// [`CLOCK_AHEAD_MS_MAX`] was written by a clock that was wrong, and is not believed.
    pub fn not_before(self, changed: Self) -> Self {
        if changed.is_from_a_wrong_clock(self) {
            self
        } else {
            self.max(changed)
        }
    }

    /// Whether this moment, at which something is said to have happened, lies too far ahead of `now` to be true.
    pub fn is_from_a_wrong_clock(self, now: Self) -> bool {
        self > now.plus_ms(CLOCK_AHEAD_MS_MAX)
    }

    /// Reads RFC 3339, with any offset.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| {
            format!("`{text}` is not an RFC 3339 time such as `2026-01-02T03:04:05Z`")
        })?;
        let ms = parsed.as_millisecond();
        if !(0..=LAST_MS).contains(&ms) {
            return Err(format!("`{text}` lies outside the years 1970 to 9999"));
        }
        Ok(Self(ms))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            Self::parse(&text).map_err(D::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self::from_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_milliseconds_in_utc() {
        let time = Timestamp::from_ms(1_767_323_045_678);
        assert_eq!(time.to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(Timestamp::parse("2026-01-02T04:04:05.678+01:00"), Ok(time));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "tomorrow",
            "2026-13-01T00:00:00Z",
            "1969-01-01T00:00:00Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_clock_that_was_a_little_ahead_is_waited_for_and_a_wrong_one_is_not() {
        let now = Timestamp::from_ms(1_767_323_045_678);
        let little = now.plus_ms(CLOCK_AHEAD_MS_MAX);
        assert_eq!(now.not_before(little), little);
        assert_eq!(now.not_before(little.plus_ms(1)), now);
        assert_eq!(now.not_before(now.minus_ms(1)), now);
    }

    #[test]
    fn arithmetic_stays_in_range() {
        assert_eq!(Timestamp::MAX.plus_ms(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::ZERO.minus_ms(5), Timestamp::ZERO);
        assert_eq!(Timestamp::ZERO.ms_since(Timestamp::MAX), 0);
    }
}
