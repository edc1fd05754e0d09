//! What exit codes mean, and how failures are told: what is wrong, where, and what to try.

use std::{io, process::ExitCode};

use anstyle::{AnsiColor, Style};
use mcpanel_api::Problem;
use mcpanel_client::{Distrust, Error};

use crate::output::{cell::harmless, log};

/// The exit codes, for scripts; `mcpanel help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// It failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// The credential is missing or not enough.
    Denied = 4,
    /// It conflicts with what is there.
    Conflict = 5,
    /// The task or pipeline that was watched failed.
    WatchedFailed = 6,
    /// The task or pipeline that was watched was cancelled.
    WatchedCancelled = 7,
    /// It was still running when the time was up.
    StillRunning = 8,
    /// The server cannot be reached.
    Unreachable = 9,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// The table of exit codes, for the help.
pub const TABLE: &str = "\
Exit codes:
  0    done
  1    it failed
  2    the command line is wrong
  3    not found
  4    credential missing or not enough
  5    conflicts with what is there
  6    the watched task or pipeline failed
  7    the watched task or pipeline was cancelled
  8    still running when the time was up
  9    the server cannot be reached
  130  interrupted (Ctrl-C)";

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong, and where.
    pub what: String,
    /// What to try.
    pub hint: Option<String>,
    /// Where there is more about it.
    pub page: Option<String>,
    /// What to quote when asking about it.
    pub request_id: Option<String>,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            what: what.into(),
            hint: None,
            page: None,
            request_id: None,
        }
    }

    /// A wrong command line.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(what).exit(Exit::Usage)
    }

    /// What a server refuses, or would.
    pub fn refused(problem: &Problem) -> Self {
        let exit = match problem.status {
            // Whoever asks for a task must not believe that there is none.
            _ if is_no_path(problem) => Exit::Unreachable,
            401 | 403 => Exit::Denied,
            404 => Exit::NotFound,
            409 | 412 | 428 => Exit::Conflict,
            _ => Exit::Failed,
        };
        Self {
            exit,
            what: words(problem),
            hint: hint(problem),
            page: Some(problem.kind.clone()),
            request_id: problem.request_id.clone(),
        }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same with a word on what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, told of one of several things.
    #[must_use]
    pub fn about(mut self, thing: &str) -> Self {
        self.what = format!("{thing}: {}", self.what);
        self
    }

    /// Writes it to stderr.
    pub fn show(&self) {
        if log::is_json() {
            if !self.what.is_empty() {
                tracing::error!(hint = self.hint.as_deref(), "{}", self.what);
            }
            return;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let dim = Style::new().dimmed();
        if !self.what.is_empty() {
            // The words may be another program's, and must not steer the terminal.
            let lines: Vec<String> = self.what.lines().map(harmless).collect();
            anstream::eprintln!("{red}error:{red:#} {}", lines.join("\n"));
        }
        if let Some(hint) = &self.hint {
            anstream::eprintln!("{dim}  try:{dim:#} {hint}");
        }
        if let Some(page) = &self.page {
            anstream::eprintln!("{dim}  more:{dim:#} {}", harmless(page));
        }
        if let Some(id) = &self.request_id {
            anstream::eprintln!("{dim}  request id:{dim:#} {}", harmless(id));
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(error.chain());
        match &error {
            Error::Problem { problem, .. } => failure = Self::refused(problem),
            Error::Unreachable { .. } => {
                failure = failure
                    .exit(Exit::Unreachable)
                    .hint("start a server with `mcpanel serve`, or name another with `--url` or MCPANEL_URL");
            }
            Error::Broken { .. } | Error::Timeout { .. } | Error::Foreign { .. } => {
                failure = failure.exit(Exit::Unreachable);
                failure.hint = misunderstood(&error).map(str::to_owned);
            }
            Error::Tls { why, .. } => {
                failure = failure.exit(Exit::Unreachable);
                failure.hint = distrusted(why).map(str::to_owned);
            }
            Error::Plain { .. } => {
                failure = failure
                    .exit(Exit::Usage)
                    .hint("use its `https://` address; where the network itself is trusted, `--allow-http` or MCPANEL_ALLOW_HTTP=1");
            }
            Error::Config(_) => failure = failure.exit(Exit::Usage),
            Error::Decode { .. } | Error::Digest { .. } | Error::File { .. } => {}
        }
        failure
    }
}

/// The message of an error with its causes, each said once.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(&format!(": {words}"));
        }
        cause = error.source();
    }
    text
}

/// What a server says, with all faults.
fn words(problem: &Problem) -> String {
    // They are listed here, not under a name of the API's.
    let mut words = problem.detail.replace("; see `errors`", "");
    for fault in &problem.errors {
        // A single fault may be the detail already.
        if !words.contains(&fault.detail) {
            let place = match fault.pointer.as_str() {
                "" => "the whole",
                pointer => pointer,
            };
            words.push_str(&format!("\n  `{place}` {}", fault.detail));
        }
    }
    words
}

/// What to try where something answers, and not as a server does.
fn misunderstood(error: &Error) -> Option<&'static str> {
    match error {
        Error::Foreign {
            status: 300..=399, ..
        } => Some(
            "it leads elsewhere, which is not followed; name the address it leads to, often the same with `https://`",
        ),
        Error::Broken { url, .. } if url.starts_with("http://") => {
            Some("if the server is encrypted, its address begins with `https://`")
        }
        _ => None,
    }
}

/// What to try about a connection that is not trusted.
fn distrusted(why: &Distrust) -> Option<&'static str> {
    Some(match why {
        Distrust::UnknownAuthority => {
            "if an authority of your own signed it, name that authority's certificate: `--ca-file FILE`, or MCPANEL_CA_FILE"
        }
        Distrust::WrongName(_) => "use an address with the name that is in the certificate",
        Distrust::Expired | Distrust::NotYetValid => {
            "renew the server's certificate, and set both clocks by NTP"
        }
        Distrust::NotTls => "if the server is not encrypted, its address begins with `http://`",
        Distrust::Other(_) => return None,
    })
}

/// Whether the server does not know the path: it is of another version, or its port for sockets was named.
fn is_no_path(problem: &Problem) -> bool {
    problem.code == "not_found" && problem.detail.starts_with("no path ")
}

/// What to try about something that is not there, such as `no agent `x``.
fn not_found(problem: &Problem) -> &'static str {
    match problem.detail.split_whitespace().nth(1) {
        Some("agent") => "`mcpanel agents list` shows those there are for this credential",
        Some("task") => "`mcpanel tasks list` shows those there are for this credential",
        Some("pipeline") => "`mcpanel pipelines list` shows those there are for this credential",
        Some("template") => {
            "`mcpanel templates list` shows those there are for this credential, with their newest versions"
        }
        Some("artifact") => "`mcpanel artifacts list` shows those there are for this credential",
        Some("operation") => "`mcpanel ops list` shows those there are for this credential",
        Some("key") => "`mcpanel keys list` shows those there are for this credential",
        _ => "the `list` commands show what there is for this credential",
    }
}

/// What to try about a problem.
fn hint(problem: &Problem) -> Option<String> {
    let hint = match problem.code.as_str() {
        "not_found" if is_no_path(problem) => {
            "name the address of the API of a server like this program; sockets have another port, and `mcpanel doctor --remote` says what is there"
        }
        "not_found" => not_found(problem),
        "validation" if problem.detail.contains("names no template") => {
            "`mcpanel templates list` shows those there are for this credential"
        }
        "validation" if problem.detail.contains("no registered agent") => {
            "`mcpanel agents list` shows who is there, `mcpanel agents discover` what they offer"
        }
        "forbidden" if problem.detail.contains("namespace") => {
            "leave `--namespace` and MCPANEL_NAMESPACE out: a credential has a namespace of its own"
        }
        "invalid_transition" if !problem.detail.contains("the task") => {
            "look at its status with `get`"
        }
        code => return hint_by_code(code).map(str::to_owned),
    };
    Some(hint.to_owned())
}

/// What to try about any problem of this code.
fn hint_by_code(code: &str) -> Option<&'static str> {
    let hint = match code {
        "unauthenticated" => {
            "`mcpanel auth login` keeps a credential; or set MCPANEL_API_KEY or MCPANEL_TOKEN; the administrator's key is in `admin.key` in the server's data folder; `mcpanel doctor --remote` says which one is shown"
        }
        "forbidden" => {
            "use a key with that permission: `mcpanel auth whoami` lists yours, `mcpanel keys create` makes one"
        }
        "validation" => "mend what is named; `--help` of the command says what it takes",
        "conflict" => "another has that id, or changed it meanwhile; look at it with `get`",
        "revision_mismatch" => "it was changed meanwhile; look at it with `get`, then repeat",
        "invalid_transition" => {
            "look at its status with `get`; `mcpanel tasks explain ID` says what a task waits for"
        }
        "agent_inactive" => "`mcpanel agents list --status active` shows who is there",
        "unknown_dependency" => "submit the tasks that it depends on first",
        "idempotency_mismatch" => "give another `--idempotency-key`, or the same request as before",
        "too_many" | "rate_limited" | "overloaded" | "store_unavailable" | "request_timeout" => {
            "try again in a moment"
        }
        "outcome_unknown" => {
            "it may have been done: look with `get` or `list` first, or repeat it with the same `--idempotency-key` or id"
        }
        "store_read_only" => "the server's disk may be full; its log and `GET /health` say more",
        _ => return None,
    };
    Some(hint)
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Somebody who reads no further (`| head`) is no failure worth words.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new("").exit(Exit::Ok);
        }
        Self::new(error.to_string())
    }
}
