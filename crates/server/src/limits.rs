//! Every bound of the edge, in one place, with the reason for its figure.

/// Largest JSON body, in bytes: one payload of the largest size
/// ([`PAYLOAD_BYTES_MAX`](mcpanel_domain::limits::PAYLOAD_BYTES_MAX)) and room around it. Files travel as artifacts.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Longest a body may take to arrive, in milliseconds: the largest one over a line of 3 Mbit/s.
pub const BODY_READ_MS_MAX: u64 = 30_000;

/// Deepest nesting of a JSON body. Parsers of other languages give up between 100 and 1,000, and
/// what people write by hand stays below 20.
pub const JSON_DEPTH_MAX: usize = 64;

/// Longest query string, in bytes: every filter of a list at its longest.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;

/// Faults listed for one request. Nobody corrects more at once, and a body of ten megabytes could
/// have millions.
pub const FAULTS_MAX: usize = 100;

/// Longest `Idempotency-Key`, in characters: a UUID has 36, a URL-like key of a workflow engine up to 200.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Longest `X-Request-Id` taken from a caller, in characters: trace ids of the usual systems stay below 100.
pub const REQUEST_ID_CHARS_MAX: usize = 128;

/// Entity tags read from one `If-Match` or `If-None-Match`. One is usual.
pub const ETAGS_MAX: usize = 16;

/// Longest part of a caller's own text that an error message repeats, in characters.
pub const QUOTED_CHARS_MAX: usize = 64;

/// Claims of one agent that may wait at once. One is enough; the rest is for an agent whose former
/// claims were cut off and not noticed yet.
pub const CLAIMS_WAITING_PER_AGENT_MAX: u32 = 4;

/// Claims that may wait at once. Each costs a connection and some kilobytes; as many as
/// [`CONNECTIONS_MAX`] allows, less a part that stays free for calls that do something.
pub const CLAIMS_WAITING_MAX: u32 = 8_000;

/// How often a waiting claim looks for itself, in milliseconds, in case the word that woke it went to
/// a claim that had just given up.
pub const CLAIM_LOOK_INTERVAL_MS: u64 = 1_000;

/// Connections at once. Each costs a file descriptor and about 20 KB; more wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Connections that wait to be accepted: a burst of agents that reconnect after a restart.
pub const BACKLOG: u32 = 1_024;

/// How long requests under way may take when the server stops, in milliseconds. Supervisors commonly wait
/// 30 s before they kill; closing the store needs a part of it.
pub const STOP_MS_MAX: u64 = 10_000;

/// Longest time that a stopping instance still takes connections, in milliseconds, while it says that it is not ready:
/// balancers commonly look every second or two and believe the second look.
pub const DRAIN_LINGER_MS_MAX: u64 = 5_000;

/// How often artifacts' bytes that nobody knows are looked for, in milliseconds: they are an hour old at least.
pub const ARTIFACT_SWEEP_INTERVAL_MS: u64 = 3_600_000;

/// Ids of tasks that a stage of one pipeline shows. A person reads a few; a program pages through the list of
/// tasks.
pub const STAGE_TASKS_SHOWN_MAX: u32 = 1_000;

/// Ids of tasks that a stage shows in a list of pipelines: a page of 500 pipelines stays below 2 MB.
pub const STAGE_TASKS_LISTED_MAX: u32 = 10;

/// Most bytes of free-form JSON in one page of pipelines: a few at their largest.
pub const PAGE_PAYLOAD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Longest media type, in characters: the longest registered ones have about 80, and parameters follow.
pub const MEDIA_TYPE_CHARS_MAX: usize = 200;

/// Longest pause between two pieces of an upload, in milliseconds: three times what a phone network needs to come back.
pub const UPLOAD_IDLE_MS_MAX: u64 = 30_000;

/// Uploads at once: each holds a megabyte or two. A run of the built-in agents has about a hundred tasks in hand.
pub const UPLOADS_MAX: usize = 128;

/// Downloads at once: each holds a quarter of a megabyte.
pub const DOWNLOADS_MAX: usize = 512;

/// Longest time that a caller may read nothing of its answer, in milliseconds: as long as an upload may pause.
pub const WRITE_STALL_MS_MAX: u64 = 30_000;

/// The least pace of a download on the whole, in bytes a second: what a bad phone line still carries.
pub const DOWNLOAD_BYTES_PER_S_MIN: u64 = 8 * 1024;

/// The time that even the smallest download may take, in milliseconds: two pauses of the longest kind.
pub const DOWNLOAD_MS_MIN: u64 = 60_000;

/// How long a transfer waits for a place, in milliseconds: most of those before it take less.
pub const TRANSFER_WAIT_MS_MAX: u64 = 10_000;

/// Reads of the log for one page of events. With a filter that fits little, a page looks at so many times a thousand
/// events, some ten milliseconds, and says where to go on.
pub const EVENT_READS_MAX: usize = 20;

/// Streams of events at once. Each holds a connection, and a page of events while it is read.
pub const FOLLOWERS_MAX: usize = 2_000;

/// Events that a follower reads at a time: about a hundred kilobytes.
pub const EVENTS_READ_MAX: usize = 256;

/// How often a quiet stream says that it is alive, in milliseconds: proxies cut idle lines after 30 to 60 s.
pub const FOLLOW_PING_MS: u64 = 15_000;

/// How long a follower waits after a change before it looks, in milliseconds. Under load, hundreds of changes
/// become one look; a person notices nothing below a hundred.
pub const FOLLOW_PAUSE_MS: u64 = 10;

/// When a follower that lost the line is to come back, in milliseconds.
pub const FOLLOW_RETRY_MS: u64 = 1_000;

/// Longest life of a stream, in milliseconds: an hour. Who comes back shows credentials again, so a revoked key
/// follows no longer than this.
pub const FOLLOW_LIFE_MS_MAX: u64 = 3_600_000;
