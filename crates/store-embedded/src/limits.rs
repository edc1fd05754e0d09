//! Every bound of this store, with the reason for its figure.

/// Size of one segment of the commit log, in bytes. Its content stays in memory until the tables
/// have it (some 10,000 small tasks, about 30 MB), and is read again at start (under a second).
pub const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Commits waiting for the writer. At 50,000 commits a second that is a third of a second of
/// waiting; who comes later is told to try again rather than to wait longer.
pub const QUEUE_COMMITS_MAX: usize = 16_384;

/// Bytes waiting for the writer: a handful of the largest batches a caller may send. A commit that
/// finds an empty queue is taken whatever its size.
pub const QUEUE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Answers that the writer gives by itself. More are handed to the callers' runtime, which costs one
/// hop of some 20 µs.
pub const DIRECT_ANSWERS_MAX: usize = 8;

/// Commits in one flush. More would make the first of them wait for the checking of the last.
pub const BATCH_COMMITS_MAX: usize = 2_048;

/// Bytes in one flush: a quarter of a segment, some 5 ms of writing.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Commits from which on a flush has a thread of its own. To check and publish so many takes as long as the way to that
/// thread and back, some 50 µs on a busy machine.
pub const OVERLAP_COMMITS_MIN: usize = 32;

/// Tasks that have not ended. They are kept in memory, at about 2 KB each.
pub const LIVE_TASKS_MAX: usize = 2_000_000;

/// Events kept, about 100 bytes each on disk; older blocks are removed.
pub const EVENTS_KEPT: u64 = 2_000_000;

/// Fewest events in a stored block, so that lone commits do not make a row each.
pub const BLOCK_EVENTS_MIN: u32 = 256;

/// Parameters of waiting tasks kept in memory after the tables have them, in bytes, so that a claim need
/// not read the disk.
pub const PARAMETERS_CACHED_BYTES: usize = 64 * 1024 * 1024;

/// How long the log may hold what the tables do not have when nothing is written, in milliseconds:
/// somebody who looks into the file with another tool sees the truth of a few seconds ago.
pub const IDLE_SETTLE_MS: u64 = 2_000;

/// How long the settler waits before it tries again after a failure, in milliseconds.
pub const SETTLE_RETRY_MS: u64 = 500;

/// How long the writer waits for a settler that works before it refuses commits, in milliseconds. A full
/// segment takes some 200 ms; a disk that is busy otherwise may need many times that.
pub const SETTLE_WAIT_MS: u64 = 10_000;

/// Connections that read the tables, kept open. Readers of a machine with a few cores; more wait.
pub const READERS_MAX: usize = 8;

/// Ids that are looked up on the caller's thread. Each costs some 5 µs when its page is cached,
/// about as much as a trip to another thread; more go there.
pub const INLINE_READS_MAX: usize = 8;

/// Pages of 8 KiB after which SQLite moves its write-ahead log into the file: those of about two log
/// segments.
pub const WAL_PAGES: u32 = 4_000;

/// Largest file that is checked wholly at start, in bytes: about a second. Each row of a larger
/// one is still checked when it is read.
pub const CHECKED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Live tasks that a list looks at before it lets go of the lock for a moment.
pub const WALK_CHUNK: usize = 512;

/// Stored documents that one page of a list looks at. Each costs 8 to 20 µs, so that a page takes less than a tenth of a
/// second however few of them pass its filter.
pub const LIST_LOOKS_MAX: usize = 4_000;
