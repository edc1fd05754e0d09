//! Every bound of the realtime edge, in one place, with the reason for its figure.

/// Sockets at once when nobody says. An idle one costs some 30 KB and a file descriptor.
pub const SOCKETS_MAX_DEFAULT: usize = 20_000;

/// Handshakes in a second: ten thousand clients that come back after a restart are in after five seconds, and as many
/// sessions without a caller as [`HANDSHAKE_MS_MAX`] lets gather stay in memory.
pub const HANDSHAKES_PER_S_MAX: u32 = 2_000;

/// Longest time from the first request to accepted credentials, in milliseconds.
pub const HANDSHAKE_MS_MAX: u64 = 10_000;

/// Longest upgrade from polling to websocket, in milliseconds: the protocol's own default.
pub const UPGRADE_MS_MAX: u64 = 10_000;

/// How often each socket is pinged, in milliseconds: the protocol's own default.
pub const PING_INTERVAL_MS: u64 = 25_000;

/// How long the answer to a ping may take, in milliseconds: the protocol's own default.
pub const PING_TIMEOUT_MS: u64 = 20_000;

/// Largest message, in bytes, in either direction. Larger results travel by REST or as artifacts; of larger parameters the
/// delivery says that they are to be read by REST.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Messages that wait for one socket's line: the events of a busy second. Behind that it is told from the log, as fast as it
/// reads.
pub const BUFFERED_MESSAGES_MAX: usize = 512;

/// Bytes that the system may hold for one socket's peer: the events of a busy second twice over, and still 2 MB a second
/// over a line of 100 ms. Left to itself it would take megabytes for each peer that does not read.
pub const SEND_BUFFER_BYTES: usize = 256 * 1024;

/// Largest read buffer of a websocket while nothing arrives, in bytes: most messages of agents are below.
pub const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Calls in a second from one socket: an agent that runs a thousand short tasks a second takes more than one socket.
pub const CALLS_PER_S_MAX: u32 = 1_000;

/// Calls from one socket that may come at once.
pub const CALLS_BURST_MAX: u32 = 2_000;

/// Refused calls within a second after which a socket is ended: it does not listen.
pub const CALLS_REFUSED_MAX: u32 = 1_000;

/// Calls of one socket that wait or are under way: several times an agent's usual concurrency.
pub const CALLS_QUEUED_MAX: usize = 256;

/// Bytes of one socket's calls that wait or are under way: four of the largest.
pub const CALL_BYTES_QUEUED_MAX: usize = 4 * MESSAGE_BYTES_MAX;

/// Rooms of one socket: a screen full of tasks, each followed by itself.
pub const ROOMS_MAX: usize = 256;

/// Events of one namespace kept in memory, so that clients that come back after a moment cost no read of the log.
pub const RECENT_EVENTS_MAX: usize = 4_096;

/// Events read from the log at a time: about a hundred kilobytes.
pub const EVENTS_READ_MAX: usize = 256;

/// How far behind a client may come back and be told what it missed, in events. Who missed more reads anew: it is quicker.
pub const RESUME_EVENTS_MAX: u64 = 50_000;

/// How long to wait for an event that a client has seen elsewhere, in milliseconds: the way of an event between instances.
pub const AHEAD_MS_MAX: u64 = 1_000;

/// Shortest time from one look at the log to the next, in milliseconds: under load, many changes become one look, and
/// whoever waits for a single change waits for nothing else.
pub const LOOK_PAUSE_MS: u64 = 1;

/// Longest pause between two tries to read a log that cannot be read, in milliseconds.
pub const READ_RETRY_MS_MAX: u64 = 5_000;

/// How long a socket may take nothing at all while there is something for it, in milliseconds.
pub const STUCK_MS_MAX: u64 = 10_000;

/// Shortest and longest pause before a full line is tried again, in milliseconds.
pub const LINE_RETRY_MS: (u64, u64) = (2, 50);

/// How often an empty namespace is looked at before it is forgotten, in milliseconds.
pub const EMPTY_KEPT_MS: u64 = 60_000;

/// How often sockets are looked through for those whose credentials ran out, in milliseconds.
pub const SWEEP_INTERVAL_MS: u64 = 1_000;

/// Tasks pushed to an agent by one claim.
pub const PUSH_TASKS_MAX: u32 = 32;

/// Deliveries to one agent that wait for its word.
pub const DELIVERIES_MAX: u32 = 128;

/// Largest parameters that a delivery carries, in bytes; room is left for what stands around them.
pub const DELIVERY_PARAMETERS_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 16 * 1024;

/// How often the desk is asked for work although nothing woke us, in milliseconds, in case the word that work came went
/// to an agent that had just gone.
pub const PUSH_LOOK_INTERVAL_MS: u64 = 10_000;

/// Shortest and longest pause after a delivery that was not accepted, in milliseconds. It doubles each time, so that other
/// agents come first and a task is not worn out by being handed out.
pub const PUSH_PAUSE_MS: (u64, u64) = (1_000, 60_000);

/// How long one write may stand still before the line is cut, in milliseconds.
pub const WRITE_MS_MAX: u64 = 30_000;

/// How long a farewell may wait for its line, in milliseconds.
pub const FAREWELL_MS_MAX: u64 = 5_000;

/// How long connections may take to end when the server stops, in milliseconds.
pub const STOP_MS_MAX: u64 = 3_000;

/// Longest a polled body may take to arrive, in milliseconds: the largest one over a line of 1 Mbit/s.
pub const BODY_READ_MS_MAX: u64 = 10_000;

/// Longest part of a caller's own text that an error message repeats, in characters.
pub const QUOTED_CHARS_MAX: usize = 64;

/// How long a delivery waits for its acknowledgement when nobody says, in milliseconds: as long as a claimed task may be on
/// its way to a polling agent.
pub const DELIVERY_MS_DEFAULT: u64 = 5_000;
