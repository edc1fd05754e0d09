//! Every bound of the dashboard, in one place, with the reason for its figure.

/// Largest form, in bytes: a template of 64 stages as JSON, with room for its parameters.
pub const FORM_BYTES_MAX: usize = 256 * 1024;

/// Rows of a page when nobody says: what a person looks through before filtering.
pub const ROWS_DEFAULT: usize = 50;

/// Most rows of a page. More is what filters and the API are for.
pub const ROWS_MAX: usize = 200;

/// How long somebody stays signed in, in milliseconds: a working day. A revoked key ends it at once.
pub const SESSION_MS: u64 = 12 * 3_600_000;

/// New rows that are counted above a list; beyond it, the page says "more than".
pub const NEW_ROWS_COUNTED_MAX: usize = 100;

/// Log lines that a task's page shows: the newest. A terminal's scroll-back is as long.
pub const LOG_LINES_SHOWN: usize = 1_000;

/// Events of one page of the event list.
pub const EVENTS_SHOWN: usize = 100;

/// Events that are looked at for one page of a filtered list: 90 ms in an unoptimised build on a busy machine of two cores, and a
/// page is to be there in a tenth of a second.
pub const EVENTS_SCANNED_MAX: u64 = 10_000;

/// Tasks of a stage that its table shows. All of them are a link away.
pub const STAGE_TASKS_SHOWN: usize = 100;

/// Artifacts of a pipeline that its page shows.
pub const ARTIFACTS_SHOWN: usize = 100;

/// Artifacts of a pipeline that are looked at for a name or role; twenty questions to the store at the most.
pub const ARTIFACTS_LOOKED_AT: usize = 2_000;

/// Tasks that the load of an agent is worked out from: 2 to 3 ms in an unoptimised build. The page says so when there
/// were more.
pub const LOAD_TASKS_MAX: usize = 2_000;

/// How long before its window a task may have been created to count for an agent's load, in milliseconds: a day. What waited
/// longer is left out, as the documentation says; so a quiet hour of an agent with a long history does not read the whole history.
pub const LOAD_AGE_MS_MAX: u64 = 24 * 3_600_000;

/// Events of one file, the newest: an hour of a busy server. `before` asks for those before them.
pub const EVENTS_EXPORTED_MAX: u64 = 100_000;

/// Events that are looked at for one file, so that a rare kind cannot keep a connection busy for hours.
pub const EXPORT_SCANNED_MAX: u64 = 1_000_000;

/// Longest time that one file of events takes, in milliseconds: 100,000 events of half a kilobyte need
/// 200 s at 2 Mbit/s. A reader that takes a little now and then would otherwise hold one of the few places for ever.
pub const EXPORT_MS_MAX: u64 = 300_000;

/// Pieces of a file, of 1,000 events looked at each, after which it is asked again who reads it.
pub const EXPORT_PIECES_TRUSTED: u32 = 50;

/// Files of events that are written at once: each reads the log as fast as it can be sent.
pub const EXPORTS_MAX: usize = 4;

/// Views that somebody keeps of one list.
pub const VIEWS_MAX: usize = 12;

/// Longest name of a view, in characters: what fits on a tab.
pub const VIEW_NAME_CHARS_MAX: usize = 40;

/// Longest text of all kept views of one list, in bytes: browsers keep 4 KB of a cookie, with its name and attributes.
pub const VIEWS_BYTES_MAX: usize = 3_400;

/// Longest text of everybody's views in one browser, in bytes: every request carries it, within a head of 32 KiB at most, and
/// proxies often take lines of 8 KiB.
pub const VIEWS_TOGETHER_BYTES_MAX: usize = 8 * 1024;

/// Tabs that may follow at once. Each holds a connection and reads the event log once a second at most.
pub const LIVE_STREAMS_MAX: usize = 1_000;

/// Shortest pause between two words of a stream, in milliseconds: people read no faster, and a busy server has
/// thousands of changes a second.
pub const LIVE_PAUSE_MS: u64 = 1_000;

/// Logs that one stream follows: a page shows one.
pub const LIVE_LOGS_MAX: usize = 4;

/// How often a quiet stream speaks, in milliseconds: proxies cut idle lines after 30 to 60 s, and heartbeats, which
/// are no events, come every 10 s.
pub const LIVE_TICK_MS: u64 = 10_000;

/// Longest life of a stream, in milliseconds. Who comes back shows a valid session again.
pub const LIVE_MS_MAX: u64 = 3_600_000;

/// Events read for one word of a stream. Of more, "everything changed" is the shorter answer.
pub const LIVE_EVENTS_READ_MAX: usize = 1_000;

/// Documents that one tab follows by name: those its page shows.
pub const LIVE_NAMES_MAX: usize = 16;

/// Longest part of a text from outside that a cell shows, in characters.
pub const CELL_CHARS_MAX: usize = 120;

/// Longest payload that a page shows, in bytes. The API gives the whole.
pub const PAYLOAD_SHOWN_BYTES_MAX: usize = 256 * 1024;

/// Fields of a payload whose shape is shown while its values are hidden.
pub const SHAPE_FIELDS_MAX: usize = 40;

/// Nodes drawn of a stage's tasks. Beyond it a bar tells more than dots.
pub const NODES_DRAWN_MAX: u32 = 200;
