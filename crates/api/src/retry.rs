//! When a failed attempt is tried again, as the specification writes it.

use mcpanel_domain::retry as rules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// The class of an error; a retry policy names the classes that are worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    Network,
    Timeout,
    Validation,
    Authentication,
    Authorization,
    BusinessLogic,
    ExternalService,
    System,
}

/// How the delay grows from one retry to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackoffStrategy {
    Linear,
    Exponential,
    Fixed,
}

/// When a failed attempt is tried again, and after how long. What is left out has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(example = json!({"maxRetries": 3, "initialDelay": 1000, "maxDelay": 60000, "backoffStrategy": "exponential", "retryableErrors": ["network", "timeout"]}))]
pub struct RetryConfig {
    /// Attempts after the first.
    #[schema(value_type = schema::Retries)]
    pub max_retries: u32,
    /// Delay before the first retry, in milliseconds.
    #[schema(value_type = schema::RetryDelayMs)]
    pub initial_delay: u64,
    /// No delay is longer, in milliseconds.
    #[schema(value_type = schema::RetryDelayMs)]
    pub max_delay: u64,
    /// How delays grow.
    pub backoff_strategy: BackoffStrategy,
    /// Errors of other classes fail at once.
    #[schema(max_items = 8)]
    pub retryable_errors: Vec<ErrorType>,
}

impl Default for RetryConfig {
    fn default() -> Self {
        rules::RetryConfig::default().into()
    }
}

/// Writes the two conversions between a wire enum and the domain's enum of the same words.
macro_rules! same_words {
    ($wire:ty, $rule:ty: $($word:ident)+) => {
        impl From<$wire> for $rule {
            fn from(value: $wire) -> Self {
                match value { $(<$wire>::$word => Self::$word,)+ }
            }
        }

        impl From<$rule> for $wire {
            fn from(value: $rule) -> Self {
                match value { $(<$rule>::$word => Self::$word,)+ }
            }
        }
    };
}

same_words!(ErrorType, rules::ErrorType: Network Timeout Validation Authentication Authorization BusinessLogic ExternalService System);
same_words!(BackoffStrategy, rules::BackoffStrategy: Linear Exponential Fixed);

impl From<RetryConfig> for rules::RetryConfig {
    fn from(config: RetryConfig) -> Self {
        Self {
            max_retries: config.max_retries,
            initial_delay: config.initial_delay,
            max_delay: config.max_delay,
            backoff_strategy: config.backoff_strategy.into(),
            retryable_errors: config
                .retryable_errors
                .into_iter()
                .map(Into::into)
                .collect(),
        }
    }
}

impl From<rules::RetryConfig> for RetryConfig {
    fn from(config: rules::RetryConfig) -> Self {
        Self {
            max_retries: config.max_retries,
            initial_delay: config.initial_delay,
            max_delay: config.max_delay,
            backoff_strategy: config.backoff_strategy.into(),
            retryable_errors: config
                .retryable_errors
                .into_iter()
                .map(Into::into)
                .collect(),
        }
    }
}
