//! Asking before something is taken away.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use crate::{Failure, Result, output};

/// Longest answer that is read, in bytes: `yes` and a line end have four.
const ANSWER_BYTES_MAX: u64 = 64;

/// Whether to ask, and whether to do it at all.
#[derive(Debug, Clone, Copy, Args)]
pub struct Consent {
    /// Do not ask; needed where nobody can be asked.
    #[arg(short, long)]
    yes: bool,
    /// Say what would be done, and do nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

impl Consent {
    /// Whether to go on. `deed` is what would be done, such as `delete agent `x``; fails when it is refused, or
    /// nobody can be asked.
    pub fn to(self, deed: &str) -> Result<bool> {
        if self.dry_run {
            output::say(format_args!("would {deed}"));
            return Ok(false);
        }
        if self.yes {
            return Ok(true);
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(
                Failure::usage(format!("nobody can be asked whether to {deed}"))
                    .hint("give `--yes` to do it, or `--dry-run` to see what would be done"),
            );
        }
        let mut err = io::stderr().lock();
        write!(err, "{deed}? [y/N] ")?;
        err.flush()?;
        drop(err);
        let mut answer = String::new();
        io::Read::take(io::stdin().lock(), ANSWER_BYTES_MAX).read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            _ => Err(Failure::new("not confirmed; nothing was changed")),
        }
    }
}
