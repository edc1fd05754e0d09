//! One durable store in a folder, for a single process, with nothing to install.
//!
//! ```text
//!  commit() ──encode──► queue ─► writer thread ─► flusher thread ─► commit log ── one flush for all that waited
//!                                     │ ◄──────────────┘
//!                                     ├─► memory: live tasks and what is newer than the tables
//!                                     └─► answers
//!           settler thread ◄── a full log segment ── tables (SQLite) ─► the segment is used again
//! ```
//!
//! A commit is acknowledged once its frame of the **commit log** is flushed ([`log`]). The log has
//! two segments, written in turns and reused in place, because a flush that changes no file size
//! costs a third of one that does. When a segment is full, what changed in it is written to the
//! **tables** in one transaction ([`settler`]), in which a task that was created, claimed and
//! completed meanwhile is one row, not three. Until then it is kept in memory ([`recent`]), and a
//! start reads the log again from where the tables end. Why so: `docs/adr/0010-a-commit-log-before-sqlite.md`.
//!
//! - [`codec`]: the stored form of documents, with its version
//! - [`log`]: frames and segments
//! - [`tables`]: the SQLite file, its migrations, reading and writing
//! - [`recent`]: what changed since the tables were last written
//! - [`state`]: everything in memory, behind one lock
//! - [`writer`]: the thread that checks, numbers and publishes commits, and the one that flushes them meanwhile
//! - [`settler`]: the thread that writes the tables
//! - [`read`]: queries over memory and tables
//! - [`portable`]: moving everything out of the store, or into it
//! - [`mod@bench`]: how fast it is, next to a bare append log

pub mod bench;
mod close;
mod codec;
mod error;
pub mod limits;
mod log;
mod open;
mod options;
mod portable;
mod read;
mod recent;
mod settler;
mod shared;
mod state;
mod store;
mod tables;
mod writer;

pub use error::OpenError;
pub use options::Options;
pub use store::EmbeddedStore;
