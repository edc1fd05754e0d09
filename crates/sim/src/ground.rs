//! What the control layer stands on in a run.

use std::fmt;

/// What the control layer stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Ground {
    /// One server that owns its store: a crash takes what it had in memory with it.
    #[default]
    Embedded,
    /// Several servers, with clocks of their own, over one database and a queue that forgets.
    Distributed,
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = clap::ValueEnum::to_possible_value(self);
        f.write_str(name.as_ref().map_or("?", |value| value.get_name()))
    }
}
