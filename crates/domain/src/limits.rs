//! Every bound of the rules, in one place, with the reason for its figure.

/// Longest id, in characters: room for a prefixed ULID (31) and for ids that callers bring along
/// (UUIDs, paths of another system), short enough for keys and log lines.
pub const ID_CHARS_MAX: usize = 128;

/// Longest task type, capability, agent type or namespace, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Longest human-readable title (agent name, pipeline name), in characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// Longest human-readable text (description, message, error message), in characters.
pub const TEXT_CHARS_MAX: usize = 4_096;

/// Longest URL, in characters: what browsers and proxies commonly pass.
pub const URL_CHARS_MAX: usize = 2_048;

/// Capabilities of one agent, or required by one task.
pub const CAPABILITIES_MAX: usize = 64;

/// Tags of one pipeline.
pub const TAGS_MAX: usize = 32;

/// Tasks that one task may wait for. A fan-in of more is what a `reduce` stage is for.
pub const DEPENDENCIES_MAX: usize = 1_000;

/// Stages of one pipeline. Six are usual; a picture of more than this helps nobody.
pub const STAGES_MAX: usize = 64;

/// Tasks of one stage: a million rows in chunks of ten, and the padding of a derived task id.
pub const STAGE_TASKS_MAX: u32 = 100_000;

/// Lowest and highest priority; higher runs first.
pub const PRIORITY_RANGE: std::ops::RangeInclusive<i32> = -1_000..=1_000;

/// Most retries a policy may ask for: at the longest delay that is months.
pub const RETRIES_MAX: u32 = 1_000;

/// Longest delay between two attempts, in milliseconds: a week.
pub const RETRY_DELAY_MS_MAX: u64 = 7 * 24 * 3_600_000;

/// Longest time one attempt may take, in milliseconds: 30 days.
pub const TIMEOUT_MS_MAX: u64 = 30 * 24 * 3_600_000;

/// Attempts whose record a task keeps; older ones are counted but dropped.
pub const ATTEMPTS_KEPT: usize = 20;

/// Most work one agent may hold at once.
pub const CONCURRENCY_MAX: u32 = 10_000;

/// How many tasks an agent may hold when it does not say.
pub const CONCURRENCY_DEFAULT: u32 = 20;

/// Tasks handed out by one claim: one page of work, about half a megabyte of usual payloads.
pub const CLAIM_TASKS_MAX: u32 = 1_000;

/// Longest a claim waits for work, in milliseconds: under the 60 s at which proxies cut idle requests.
pub const CLAIM_WAIT_MS_MAX: u64 = 30_000;

/// Tasks created, completed or named in one request.
pub const BATCH_TASKS_MAX: usize = 1_000;

/// Largest free-form JSON (parameters, result, metadata, input data), in bytes. Larger data
/// travels as an artifact. MongoDB's document limit is 16 MB.
pub const PAYLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How often an agent is asked to send a heartbeat, in milliseconds.
pub const HEARTBEAT_INTERVAL_MS: u64 = 10_000;

/// Silence after which an agent is suspect, in milliseconds: two missed heartbeats.
pub const SUSPECT_AFTER_MS: u64 = 20_000;

/// How long a lease lasts without a heartbeat, in milliseconds, and so the silence after which an
/// agent is inactive: three missed heartbeats, as lease protocols commonly allow
/// for a sender that is briefly starved.
pub const LEASE_TTL_MS: u64 = 30_000;

/// How long a running task that was asked to stop may take, in milliseconds: two heartbeats to hear it,
/// one to tidy up.
pub const CANCEL_GRACE_MS: u64 = 30_000;

/// How old a lease must be before a heartbeat that does not name it gives it back, in milliseconds:
/// the answer that carried it may still have been under way.
pub const DELIVERY_GRACE_MS: u64 = 5_000;

/// How far ahead of the clock a document may lie before it is taken for the work of a clock that was wrong, in
/// milliseconds: what ticket and token protocols commonly allow between clocks. Nearer ones are waited for, so that
/// no document travels back in time.
pub const CLOCK_AHEAD_MS_MAX: u64 = 5 * 60_000;

/// Log lines taken by one request.
pub const LOG_LINES_MAX: usize = 1_000;

/// Log lines kept for one task.
pub const LOG_LINES_KEPT: u64 = 10_000;

/// Items of a list page, most and usual.
pub const PAGE_ITEMS_MAX: u32 = 500;
/// Items of a list page when the caller does not say.
pub const PAGE_ITEMS_DEFAULT: u32 = 50;

/// How long the answer to an idempotent request is remembered, in milliseconds: a day, as the
/// Idempotency-Key draft's users commonly keep it.
pub const IDEMPOTENCY_KEPT_MS: u64 = 24 * 3_600_000;

/// Longest text that tasks are searched for: longer ones are pasted by mistake.
pub const SEARCH_TEXT_CHARS_MAX: usize = 200;

/// How long samples are kept, in milliseconds: a week to look at, and a day more so that the week is whole.
pub const SAMPLES_KEPT_MS: u64 = 8 * 24 * 3_600_000;
