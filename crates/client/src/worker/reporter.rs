//! Progress and log lines on their way: gathered, joined, sent at a bounded rate.

use std::{collections::BTreeMap, time::Duration};

use mcpanel_api::{
    Name, Timestamp,
    task::{AppendLogs, LogLevel, NewLogLine, ReportProgress},
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::held::{Held, Standing};
use crate::{Client, Result};

/// At most two reports a second: a person sees no more, and the server writes each to disk.
const INTERVAL: Duration = Duration::from_millis(500);

/// Log lines that wait to be sent, and lines of one request.
const LINES_MAX: usize = 1_000;

/// Longest message, in bytes, as the API takes it.
const TEXT_BYTES_MAX: usize = 4_096;

/// What has not been sent yet.
#[derive(Default)]
pub(super) struct Pending {
    state: Mutex<State>,
    news: Notify,
}

/// How far a task is.
struct Progress {
    percent: f64,
    message: String,
    counters: BTreeMap<Name, u64>,
}

#[derive(Default)]
struct State {
    progress: Option<Progress>,
    lines: Vec<NewLogLine>,
    left_out: u64,
}

impl Pending {
    pub(super) fn progress(&self, percent: f64, message: &str, counters: BTreeMap<Name, u64>) {
        let percent = if percent.is_finite() {
            percent.clamp(0.0, 100.0)
        } else {
            0.0
        };
        self.state.lock().progress = Some(Progress {
            percent,
            message: shorten(message),
            counters,
        });
        self.news.notify_one();
    }

    pub(super) fn log(&self, level: LogLevel, message: &str) {
        let mut state = self.state.lock();
        if state.lines.len() >= LINES_MAX {
            state.left_out += 1;
            return;
        }
        state.lines.push(NewLogLine {
            level,
            message: shorten(message),
            timestamp: now(),
        });
        drop(state);
        self.news.notify_one();
    }

    /// Waits until something is there to be sent, and long enough since the last time.
    pub(super) async fn due(&self, last_sent: Option<tokio::time::Instant>) {
        self.news.notified().await;
        if let Some(last) = last_sent {
            tokio::time::sleep_until(last + INTERVAL).await;
        }
    }

    /// Sends what waits. What cannot be sent is left out.
    pub(super) async fn flush(&self, client: &Client, held: &Held) -> Result<()> {
        let (progress, lines) = self.take();
        if held.standing() == Standing::Lost {
            return Ok(());
        }
        if let Some(progress) = progress {
            let report = ReportProgress {
                lease: held.lease.clone(),
                progress: progress.percent,
                message: Some(progress.message).filter(|message| !message.is_empty()),
                counters: progress.counters,
            };
            client.report_progress(&held.task_id, &report).await?;
        }
        if !lines.is_empty() {
            let logs = AppendLogs {
                lease: held.lease.clone(),
                lines,
            };
            client.append_logs(&held.task_id, &logs).await?;
        }
        Ok(())
    }

    fn take(&self) -> (Option<Progress>, Vec<NewLogLine>) {
        let state = std::mem::take(&mut *self.state.lock());
        let mut lines = state.lines;
        if state.left_out > 0 {
            // In place of the last line, so that the request keeps its bound.
            lines.truncate(LINES_MAX - 1);
            lines.push(NewLogLine {
                level: LogLevel::Warn,
                message: format!(
                    "{} lines came too fast and are left out",
                    state.left_out + 1
                ),
                timestamp: now(),
            });
        }
        (state.progress, lines)
    }
}

/// The present moment, where the clock can tell it.
fn now() -> Option<Timestamp> {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_millis())
        .ok()
        .map(Timestamp::from_ms)
}

fn shorten(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_progress_wins() {
        let pending = Pending::default();
        for percent in 0..100 {
            pending.progress(f64::from(percent), "", BTreeMap::new());
        }
        let (progress, _) = pending.take();
        assert_eq!(progress.map(|progress| progress.percent), Some(99.0));
        assert!(pending.take().0.is_none());
    }

    #[test]
    fn lines_are_bounded_and_the_rest_is_counted() {
        let pending = Pending::default();
        for number in 0..LINES_MAX + 41 {
            pending.log(LogLevel::Info, &number.to_string());
        }
        let (_, lines) = pending.take();
        assert_eq!(lines.len(), LINES_MAX);
        assert_eq!(
            lines.last().unwrap().message,
            "42 lines came too fast and are left out"
        );
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let text = "ä".repeat(TEXT_BYTES_MAX);
        assert_eq!(shorten(&text).len(), TEXT_BYTES_MAX);
        assert_eq!(shorten("ab"), "ab");
    }
}
