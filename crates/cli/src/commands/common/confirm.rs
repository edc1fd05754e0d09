//! Asking before something is taken away.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use crate::{
    Failure, Result,
    output::{self, numbers::counted},
};

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

/// Things with their count first: ``task `a` ``, ``3 tasks: `a`, `b`, `c` ``.
pub fn named<T: std::fmt::Display>(noun: &str, ids: &[T]) -> String {
    /// Ids named; of more, the count has to do.
    const NAMED_MAX: usize = 10;
    let named: Vec<String> = ids
        .iter()
        .take(NAMED_MAX)
        .map(|id| format!("`{id}`"))
        .collect();
    let named = named.join(", ");
    match ids.len() {
        1 => format!("{noun} {named}"),
        count => {
            let rest = if count > NAMED_MAX { ", …" } else { "" };
            format!("{}: {named}{rest}", counted(count as u64, noun))
        }
    }
}

impl Consent {
    /// Whether to do nothing, for what needs no consent; says what would be done.
    pub fn is_dry<T: std::fmt::Display>(self, verb: &str, ids: &[T]) -> bool {
        if self.dry_run {
            output::say(format_args!("would {verb} {}", named("task", ids)));
        }
        self.dry_run
    }

    /// Whether to do something to all of these; the count is told first. `aside` is what else would happen.
    pub fn to_all<T: std::fmt::Display>(
        self,
        verb: &str,
        noun: &str,
        ids: &[T],
        aside: &str,
    ) -> Result<bool> {
        let deed = format!("{verb} {}{aside}", named(noun, ids));
        let is_agreed = self.to(&deed)?;
        if self.yes && ids.len() > 1 {
            output::say(&deed);
        }
        Ok(is_agreed)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_comes_first() {
        assert_eq!(named("task", &["a"]), "task `a`");
        assert_eq!(named("task", &["a", "b"]), "2 tasks: `a`, `b`");
        let many: Vec<u32> = (1..=12).collect();
        assert!(named("key", &many).starts_with("12 keys: `1`, "));
        assert!(named("key", &many).ends_with("`10`, …"));
    }
}
