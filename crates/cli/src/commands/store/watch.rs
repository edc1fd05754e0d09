//! How far a copy is: a bar where somebody watches, a line for each step otherwise.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mcpanel_transfer::Kind;

use crate::output::{is_quiet, is_watched, numbers::grouped, say};

/// Redraws a second: smooth enough, and little work for a terminal far away.
const REDRAWS_PER_SECOND: u8 = 8;

/// A step of a copy.
pub struct Step {
    name: &'static str,
    bar: ProgressBar,
    begun: Instant,
}

impl Step {
    /// Begins a step over so many things, where that is known.
    pub fn begin(name: &'static str, total: Option<u64>) -> Self {
        let target = match is_watched() && !is_quiet() {
            true => ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(total, target).with_prefix(name);
        let form = match total {
            Some(_) => "{prefix} {wide_bar} {human_pos} of {human_len}, {msg}, {eta} left",
            None => "{prefix} {human_pos}, {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_secs(1));
        Self {
            name,
            bar,
            begun: Instant::now(),
        }
    }

    /// Another so many of a kind are done.
    pub fn hear(&self, kind: Kind, count: u64) {
        self.bar.set_message(kind.plural());
        self.bar.inc(count);
    }

    /// Ends it.
    pub fn end(self) {
        let count = grouped(self.bar.position());
        self.bar.finish_and_clear();
        let seconds = self.begun.elapsed().as_secs_f64();
        say(format_args!("{}: {count} in {seconds:.1} s", self.name));
    }
}
