//! What a look found.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    Failure, Result,
    output::{
        self,
        cell::{Cell, harmless, text},
        listing::Row,
    },
};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not looked at, because it is not used or something before it is wrong.
    Skipped,
    /// It works, and could be better.
    Warning,
    /// It does not work, or will not.
    Problem,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, such as `data folder`.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// The same in words.
    pub what: String,
    /// What to try; null when there is nothing to do.
    pub hint: Option<String>,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, what: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            what: what.into(),
            hint: None,
        }
    }

    /// It is as it should be.
    pub fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, what)
    }

    /// It was not looked at.
    pub fn skipped(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, what)
    }

    /// It works, and could be better.
    pub fn warning(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, what)
    }

    /// It does not work.
    pub fn problem(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Problem, what)
    }

    /// It does not work, as a command would have told.
    pub fn failure(check: &'static str, failure: &Failure) -> Self {
        Self {
            hint: failure.hint.clone(),
            ..Self::problem(check, &failure.what)
        }
    }

    /// The same with a word on what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Writes it for people.
    pub fn tell(&self) -> Result<()> {
        let (mark, colour) = match self.verdict {
            Verdict::Ok => ("✓", AnsiColor::Green),
            Verdict::Skipped => ("–", AnsiColor::BrightBlack),
            Verdict::Warning => ("!", AnsiColor::Yellow),
            Verdict::Problem => ("✗", AnsiColor::Red),
        };
        let paint = colour.on_default().bold();
        let dim = Style::new().dimmed();
        let lines: Vec<String> = self.what.trim_end().lines().map(harmless).collect();
        output::styled(format_args!(
            "{paint}{mark}{paint:#} {:<14} {}",
            self.check,
            lines.join("\n                 ")
        ))?;
        match &self.hint {
            Some(hint) => output::styled(format_args!(
                "                 {dim}try:{dim:#} {}",
                harmless(hint)
            )),
            None => Ok(()),
        }
    }
}

impl Row for Finding {
    const HEADER: &'static [&'static str] = &["CHECK", "VERDICT", "WHAT", "TRY"];

    fn name(&self) -> String {
        self.check.replace(' ', "-")
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(self.check),
            Cell::status(self.verdict),
            Cell::long(&self.what),
            self.hint.as_deref().map(Cell::long).into(),
        ]
    }
}
