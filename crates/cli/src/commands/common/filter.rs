//! Which tasks are meant, by what they have in common.

use clap::Args;
use mcpanel_api::{
    AgentId, Name, PipelineId, Timestamp, operation::TaskSelection, task::TaskQuery,
};

use crate::output::{cell::now, durations};

/// What tasks have in common; everything that is given must hold.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which tasks")]
pub struct Filter {
    /// Only those of this type.
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<Name>,
    /// Only those of this pipeline.
    #[arg(long, value_name = "PIPELINE_ID")]
    pipeline: Option<PipelineId>,
    /// Only those of this stage of the pipeline.
    #[arg(long, value_name = "N", requires = "pipeline")]
    stage: Option<u16>,
    /// Only those that this agent holds, held last, or is meant for.
    #[arg(long, value_name = "AGENT_ID")]
    agent: Option<AgentId>,
    /// Only those that this agent holds now.
    #[arg(long, value_name = "AGENT_ID")]
    held_by: Option<AgentId>,
    /// Only those with this in their id, type, error or parameters; case does not matter.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only those created since: a moment such as `2026-01-02T03:04:05Z`, or a time ago such as `2h`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only those created before.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only those changed since.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    updated_since: Option<Timestamp>,
    /// Only those not changed since.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    updated_until: Option<Timestamp>,
    /// Only those that ended since.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    ended_since: Option<Timestamp>,
    /// Only those that ended before.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    ended_until: Option<Timestamp>,
}

impl Filter {
    /// The names of its options, for groups.
    pub const OPTIONS: [&str; 12] = [
        "task_type",
        "pipeline",
        "stage",
        "agent",
        "held_by",
        "text",
        "since",
        "until",
        "updated_since",
        "updated_until",
        "ended_since",
        "ended_until",
    ];

    /// What a list asks for.
    pub fn query(self) -> TaskQuery {
        TaskQuery {
            status: None,
            task_type: self.task_type,
            pipeline_id: self.pipeline,
            stage: self.stage,
            assigned_agent_id: self.agent,
            held_by: self.held_by,
            created_from: self.since,
            created_before: self.until,
            updated_from: self.updated_since,
            updated_before: self.updated_until,
            ended_from: self.ended_since,
            ended_before: self.ended_until,
            text: self.text,
            limit: None,
            cursor: None,
        }
    }

    /// What an operation is about.
    pub fn selection(self) -> TaskSelection {
        TaskSelection {
            statuses: Vec::new(),
            task_type: self.task_type,
            assigned_agent_id: self.agent,
            held_by: self.held_by,
            pipeline_id: self.pipeline,
            stage: self.stage,
            created_from: self.since,
            created_before: self.until,
            updated_from: self.updated_since,
            updated_before: self.updated_until,
            ended_from: self.ended_since,
            ended_before: self.ended_until,
            text: self.text,
        }
    }
}

/// Reads a moment, or a time ago.
pub fn moment(given: &str) -> Result<Timestamp, String> {
    let ago = durations::parse(given)
        .map(|ago| now().minus_ms(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)));
    ago.or_else(|_| {
        Timestamp::parse(given).map_err(|error| format!("{error}, and no time ago such as `2h`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_may_be_a_time_ago() {
        let ago = moment("2h").unwrap();
        assert!(now().ms_since(ago).abs_diff(7_200_000) < 10_000);
        assert!(moment("2026-01-02T03:04:05Z").is_ok());
        assert!(moment("yesterday").unwrap_err().contains("such as `2h`"));
    }
}
