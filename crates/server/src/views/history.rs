//! Attempts and log lines.

use mcpanel_api::task::{
    Attempt, AttemptOutcome, Attempts, LogLevel, LogLine, LogPage, NewLogLine,
};
use mcpanel_domain::{
    Timestamp,
    log::{Level, Line},
    task::{self as rules, Outcome},
};

use super::task::error;
use crate::cursor::Cursor;

/// What the cursors of log pages are bound to.
pub const LOGS: &str = "logs";

/// The attempts of a task, oldest first.
pub fn attempts(task: &rules::Task) -> Attempts {
    Attempts {
        task_id: task.id.clone(),
        attempts: task.attempts.iter().map(attempt).collect(),
    }
}

fn attempt(attempt: &rules::Attempt) -> Attempt {
    Attempt {
        attempt: attempt.number,
        agent_id: attempt.agent_id.clone(),
        session_id: attempt.session.clone(),
        outcome: attempt.outcome.map(outcome),
        assigned_at: attempt.assigned_at,
        started_at: attempt.started_at,
        ended_at: attempt.ended_at,
        error: attempt.error.as_ref().map(error),
    }
}

fn outcome(outcome: Outcome) -> AttemptOutcome {
    match outcome {
        Outcome::Completed => AttemptOutcome::Completed,
        Outcome::Failed => AttemptOutcome::Failed,
        Outcome::Cancelled => AttemptOutcome::Cancelled,
        Outcome::TimedOut => AttemptOutcome::TimedOut,
        Outcome::LeaseLost => AttemptOutcome::LeaseLost,
        Outcome::Released => AttemptOutcome::Released,
    }
}

/// A page of log lines, of which at most `size` were asked for.
pub fn log_page(lines: Vec<Line>, size: usize) -> LogPage {
    let next_cursor = lines
        .last()
        .filter(|_| lines.len() >= size)
        .map(|line| Cursor::after(i64::try_from(line.seq).unwrap_or(i64::MAX), "").encode(LOGS));
    LogPage {
        lines: lines.into_iter().map(line).collect(),
        next_cursor,
    }
}

fn line(line: Line) -> LogLine {
    LogLine {
        seq: line.seq,
        attempt: line.attempt,
        level: match line.level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
            Level::Critical => LogLevel::Critical,
        },
        message: line.message,
        timestamp: line.at,
    }
}

/// A line that an agent wrote, as the rules take it.
pub fn new_line(line: NewLogLine) -> (Option<Timestamp>, Level, String) {
    let level = match line.level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
        LogLevel::Critical => Level::Critical,
    };
    (line.timestamp, level, line.message)
}
