//! Rules broken on purpose, to show that the simulation notices.

use std::fmt;

/// A broken rule. Each is built into the simulated store or into the way calls reach the server, so
/// that the product itself holds no switch that could break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    /// Whoever shows a stale lease is treated as the present holder.
    SkipFencing,
    /// Commits are acknowledged before they are durable; a crash loses the newest.
    AckBeforeFlush,
    /// Documents become durable first, their events afterwards; a crash in between tears them apart.
    TornCommit,
    /// A write wins over whatever was written since it was decided.
    IgnoreRevisions,
    /// Now and then an event is not recorded.
    LoseEvents,
    /// Tasks are given out before what they wait for is completed.
    IgnoreDependencies,
    /// Agents are given work beyond their slots.
    OverfillSlots,
    /// Progress is stored as it is reported, also when it falls.
    ProgressFalls,
    /// Timers of tasks fire and are forgotten.
    ForgetTimers,
    /// A failed attempt is tried again, however often it failed before.
    RetryForEver,
    /// A commit to a shared database that got no answer is taken for written.
    AckUnknown,
    /// What a shared queue says is ready is given out without a look at what it waits for.
    TrustQueue,
    /// A shared queue is never compared with the database.
    NeverVerify,
    /// What a shared queue says was given out is believed, though somebody forged it: the forgers know the servers' key.
    BelieveLeases,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = clap::ValueEnum::to_possible_value(self);
        f.write_str(name.as_ref().map_or("?", |value| value.get_name()))
    }
}
