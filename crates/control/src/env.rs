//! Where time and randomness come from.

use mcpanel_domain::Timestamp;

/// The world outside: a clock and a source of random numbers.
pub trait Env: Send + Sync + 'static {
    /// The time now. It may jump, also backwards; the rules bear it.
    fn now(&self) -> Timestamp;
    /// 128 random bits, unpredictable where leases and ids must not be guessed.
    fn random(&self) -> u128;
}
