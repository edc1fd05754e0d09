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
