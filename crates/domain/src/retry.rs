//! When a failed attempt is tried again, and after how long.

use serde::{Deserialize, Serialize};

use crate::{
    fault::Fault,
    limits::{RETRIES_MAX, RETRY_DELAY_MS_MAX},
};

/// The specification's classes of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// The network failed.
    Network,
    /// Something took too long.
    Timeout,
    /// The input is wrong.
    Validation,
    /// The caller is not known.
    Authentication,
    /// The caller may not.
    Authorization,
    /// A rule of the field forbids it.
    BusinessLogic,
    /// Another service failed.
    ExternalService,
    /// The machine or the program failed.
    System,
}

impl ErrorType {
    /// The specification's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Validation => "validation",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::BusinessLogic => "business_logic",
            Self::ExternalService => "external_service",
            Self::System => "system",
        }
    }
}

/// How the delay grows from one retry to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackoffStrategy {
    /// `initialDelay` times the number of the retry.
    Linear,
    /// `initialDelay`, doubled with each retry.
    Exponential,
    /// Always `initialDelay`.
    Fixed,
}

/// The specification's `RetryConfig`; delays in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryConfig {
    /// Attempts after the first.
    pub max_retries: u32,
    /// Delay before the first retry, in milliseconds.
    pub initial_delay: u64,
    /// No delay is longer, in milliseconds.
    pub max_delay: u64,
    /// How delays grow.
    pub backoff_strategy: BackoffStrategy,
    /// Errors of other classes fail at once.
    pub retryable_errors: Vec<ErrorType>,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_retries: 3,
            initial_delay: 1_000,
            max_delay: 60_000,
            backoff_strategy: BackoffStrategy::Exponential,
            retryable_errors: vec![
                ErrorType::Network,
                ErrorType::Timeout,
                ErrorType::ExternalService,
                ErrorType::System,
            ],
        }
    }
}

impl RetryConfig {
    /// Whether an error of this class may be tried again after `retries` retries.
    pub fn allows(&self, error: ErrorType, retries: u32) -> bool {
        retries < self.max_retries && self.retryable_errors.contains(&error)
    }

    /// The delay before retry number `retry` (from 1), in milliseconds.
    ///
    /// `random` spreads it over the upper half of the nominal delay ("equal jitter",
    /// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>), so that
    /// tasks that failed together do not return together, yet none returns at once.
    pub fn delay_ms(&self, retry: u32, random: u64) -> u64 {
        let retry = retry.max(1);
        let nominal = match self.backoff_strategy {
            BackoffStrategy::Fixed => self.initial_delay,
            BackoffStrategy::Linear => self.initial_delay.saturating_mul(u64::from(retry)),
            BackoffStrategy::Exponential => {
                let doublings = (retry - 1).min(63);
                self.initial_delay.saturating_mul(1 << doublings)
            }
        }
        .min(self.max_delay);
        let half = nominal / 2;
        half + random % (nominal - half + 1)
    }

    /// Everything wrong with these settings, with pointers below the config.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.max_retries > RETRIES_MAX {
            faults.push(Fault::new(
                "/maxRetries",
                "out_of_range",
                format!("is {}; at most {RETRIES_MAX}", self.max_retries),
            ));
        }
        if self.max_delay > RETRY_DELAY_MS_MAX {
            faults.push(Fault::new(
                "/maxDelay",
                "out_of_range",
                format!(
                    "is {} ms; at most {RETRY_DELAY_MS_MAX} (a week)",
                    self.max_delay
                ),
            ));
        }
        if self.initial_delay > self.max_delay {
            faults.push(Fault::new(
                "/initialDelay",
                "out_of_range",
                format!(
                    "is {} ms, longer than maxDelay ({} ms)",
                    self.initial_delay, self.max_delay
                ),
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(strategy: BackoffStrategy) -> RetryConfig {
        RetryConfig {
            initial_delay: 100,
            max_delay: 1_000,
            backoff_strategy: strategy,
            ..RetryConfig::default()
        }
    }

    /// The longest delay that jitter can give, for retries 1 to 6.
    fn longest(strategy: BackoffStrategy) -> Vec<u64> {
        (1..=6)
            .map(|retry| {
                (0..2_000)
                    .map(|random| policy(strategy).delay_ms(retry, random))
                    .max()
                    .unwrap()
            })
            .collect()
    }

    #[test]
    fn delays_grow_as_the_strategy_says_and_stop_at_the_cap() {
        assert_eq!(longest(BackoffStrategy::Fixed), [100; 6]);
        assert_eq!(
            longest(BackoffStrategy::Linear),
            [100, 200, 300, 400, 500, 600]
        );
        assert_eq!(
            longest(BackoffStrategy::Exponential),
            [100, 200, 400, 800, 1_000, 1_000]
        );
    }

    #[test]
    fn jitter_never_goes_below_half() {
        for random in 0..1_000 {
            assert!(policy(BackoffStrategy::Fixed).delay_ms(1, random) >= 50);
        }
    }

    #[test]
    fn enormous_retries_do_not_overflow() {
        let policy = RetryConfig {
            initial_delay: u64::MAX,
            max_delay: u64::MAX - 1,
            ..policy(BackoffStrategy::Exponential)
        };
        assert!(policy.delay_ms(u32::MAX, u64::MAX) > 0);
    }

    #[test]
    fn only_listed_classes_are_tried_again_and_only_so_often() {
        let policy = RetryConfig::default();
        assert!(policy.allows(ErrorType::Network, 2));
        assert!(!policy.allows(ErrorType::Network, 3));
        assert!(!policy.allows(ErrorType::Validation, 0));
    }
}
