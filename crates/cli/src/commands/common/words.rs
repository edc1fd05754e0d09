//! The API's words on the command line: what may be given is shown in the help and completed by shells.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;

/// Where a task is in its life.
pub const TASK_STATUSES: [&str; 7] = [
    "pending",
    "assigned",
    "running",
    "completed",
    "failed",
    "retry",
    "cancelled",
];

/// Where a pipeline is in its life.
pub const PIPELINE_STATUSES: [&str; 5] = ["created", "running", "completed", "failed", "cancelled"];

/// How an agent is.
pub const AGENT_STATUSES: [&str; 5] = ["active", "suspect", "inactive", "busy", "error"];

/// Where an operation on many tasks stands.
pub const OPERATION_STATUSES: [&str; 4] = ["running", "completed", "aborted", "failed"];

/// How much a log line matters, from the least.
pub const LOG_LEVELS: [&str; 5] = ["debug", "info", "warn", "error", "critical"];

/// Reads one of `words` as the API reads it.
pub fn of<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value::<T>(serde_json::Value::String(word)))
}

#[cfg(test)]
mod tests {
    use mcpanel_api::{
        agent::AgentStatus,
        operation::OperationStatus,
        pipeline::PipelineStatus,
        task::{LogLevel, TaskStatus},
    };
    use serde_json::Value;

    use super::*;

    fn is_whole<T: DeserializeOwned>(words: &[&str], variants_named_on_refusal: usize) {
        for word in words {
            assert!(
                serde_json::from_value::<T>(Value::from(*word)).is_ok(),
                "{word}"
            );
        }
        let refusal = serde_json::from_value::<T>(Value::from("?")).err().unwrap();
        let named = refusal.to_string().matches('`').count() / 2 - 1;
        assert_eq!(named, variants_named_on_refusal, "{refusal}");
    }

    #[test]
    fn every_word_of_the_api_can_be_given() {
        is_whole::<TaskStatus>(&TASK_STATUSES, TASK_STATUSES.len());
        is_whole::<PipelineStatus>(&PIPELINE_STATUSES, PIPELINE_STATUSES.len());
        is_whole::<AgentStatus>(&AGENT_STATUSES, AGENT_STATUSES.len());
        is_whole::<OperationStatus>(&OPERATION_STATUSES, OPERATION_STATUSES.len());
        is_whole::<LogLevel>(&LOG_LEVELS, LOG_LEVELS.len());
    }
}
