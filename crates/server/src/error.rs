//! Errors as an API: one table from code to status and title, and the answer in RFC 9457 form.
//!
//! Public text (`detail`) and internal text (`source`) are separate: what went wrong inside is logged with the
//! request id and never sent. Each code has a page in `docs/errors/`, and a test compares.

use std::{borrow::Cow, error::Error as StdError, fmt};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mcpanel_api::Problem;
use mcpanel_domain::{Fault, Rejection};

use crate::edge;

/// Where the pages about codes are.
pub const PAGES: &str = "https://mcpanel.dev/errors/";

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// A public error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What it means, in words that are the same every time.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    Validation = "validation", UNPROCESSABLE_ENTITY, "The request is not valid";
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON";
    JsonTooDeep = "json_too_deep", BAD_REQUEST, "The JSON is nested too deep";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The body did not arrive in time";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Credentials are missing or not valid";
    Forbidden = "forbidden", FORBIDDEN, "Not allowed";
    NotFound = "not_found", NOT_FOUND, "Not found";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    Conflict = "conflict", CONFLICT, "The request conflicts with what exists";
    RevisionMismatch = "revision_mismatch", PRECONDITION_FAILED, "The document has changed";
    PreconditionRequired = "precondition_required", PRECONDITION_REQUIRED, "The request must be conditional";
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    IdempotencyInProgress = "idempotency_in_progress", CONFLICT, "The first request with this key is still running";
    StaleLease = "stale_lease", CONFLICT, "The lease does not hold this task";
    LeaseExpired = "lease_expired", CONFLICT, "The lease has expired";
    SessionSuperseded = "session_superseded", CONFLICT, "A newer session of this agent exists";
    AgentInactive = "agent_inactive", CONFLICT, "The agent cannot take work";
    InvalidTransition = "invalid_transition", CONFLICT, "Not possible in this state";
    DependencyCycle = "dependency_cycle", UNPROCESSABLE_ENTITY, "The dependencies form a cycle";
    UnknownDependency = "unknown_dependency", UNPROCESSABLE_ENTITY, "A dependency does not exist";
    TooMany = "too_many", TOO_MANY_REQUESTS, "Too many at once";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests in too short a time";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The server has too much to do";
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The store cannot be reached";
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "It may have been done";
    StoreReadOnly = "store_read_only", SERVICE_UNAVAILABLE, "The store takes no changes now";
    ArtifactTooLarge = "artifact_too_large", PAYLOAD_TOO_LARGE, "The artifact is too large";
    DigestMismatch = "digest_mismatch", UNPROCESSABLE_ENTITY, "The content does not match its digest";
    RangeNotSatisfiable = "range_not_satisfiable", RANGE_NOT_SATISFIABLE, "The range lies outside the artifact";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

/// What a handler answers.
pub type ApiResult<T> = Result<T, ApiError>;

/// A refused or failed request, on its way to becoming a problem document.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: Code,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// An error of this code; `detail` is public.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            faults: Vec::new(),
            headers: Vec::new(),
            source: None,
        }))
    }

    /// Faults of the input; the detail counts them.
    pub fn validation(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [fault] => fault.to_string(),
            faults => format!("{} faults; see `errors`", faults.len()),
        };
        let mut error = Self::new(Code::Validation, detail);
        error.0.faults = faults;
        error
    }

    /// One fault of the input.
    pub fn fault(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::validation(vec![Fault::new(pointer, code, detail)])
    }

    /// A document that does not exist for this caller. The words are the same whether it exists
    /// for somebody else or not.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("no {what} `{}`", quoted(id)))
    }

    /// A failure that callers learn nothing about; `source` is logged.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "quote the request id when asking about it").caused_by(source)
    }

    /// Keeps the inner cause for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Tells when to try again, in seconds.
    #[must_use]
    pub fn retry_after_s(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Puts `prefix` before the pointer of every fault, for a value inside a larger body.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.0.faults = self
            .0
            .faults
            .into_iter()
            .map(|fault| fault.under(prefix))
            .collect();
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The public form, without what belongs to one request.
    pub fn problem(&self) -> Problem {
        let Parts {
            code,
            detail,
            faults,
            ..
        } = &*self.0;
        Problem {
            kind: format!("{PAGES}{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status().as_u16(),
            detail: detail.clone().into_owned(),
            instance: None,
            code: code.as_str().to_owned(),
            request_id: None,
            errors: faults.iter().cloned().map(Into::into).collect(),
        }
    }

    /// The public form for an answer that is no response to a request. Written down like one.
    pub fn into_problem(self) -> Problem {
        self.log();
        self.problem()
    }

    /// Whoever answers a failure writes it down; refusals are the caller's business.
    fn log(&self) {
        if !self.0.code.status().is_server_error() {
            return;
        }
        let causes = std::iter::successors(
            self.0
                .source
                .as_deref()
                .map(|source| source as &dyn StdError),
            |cause: &&dyn StdError| (*cause).source(),
        )
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
        tracing::error!(
            request.id = edge::request_id().as_deref(),
            error.code = self.0.code.as_str(),
            error.cause = causes,
            "{}",
            self.0.detail
        );
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)
    }
}

impl StdError for ApiError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let problem = Problem {
            instance: edge::request_path(),
            request_id: edge::request_id(),
            ..self.problem()
        };
        let body = serde_json::to_vec(&problem).expect("strings and numbers serialise");
        let content_type = HeaderValue::from_static(PROBLEM_JSON);
        let mut response = (
            self.0.code.status(),
            [(header::CONTENT_TYPE, content_type)],
            body,
        )
            .into_response();
        response.headers_mut().extend(self.0.headers);
        response
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let detail = rejection.to_string();
        match rejection {
            Rejection::StaleLease { .. } => Self::new(Code::StaleLease, detail),
            Rejection::LeaseExpired { .. } => Self::new(Code::LeaseExpired, detail),
            Rejection::SessionSuperseded { .. } => Self::new(Code::SessionSuperseded, detail),
            Rejection::AgentUnavailable { .. } => Self::new(Code::AgentInactive, detail),
            Rejection::InvalidTransition { .. } => Self::new(Code::InvalidTransition, detail),
            Rejection::Exists { .. } => Self::new(Code::Conflict, detail),
            Rejection::NotFound { what, id } => Self::not_found(what, &id),
            Rejection::NoVersion { .. } => Self::new(Code::NotFound, detail),
            Rejection::RevisionMismatch { .. } => Self::new(Code::RevisionMismatch, detail),
            Rejection::DependencyCycle { pointer, .. } => {
                let mut error = Self::new(Code::DependencyCycle, detail.clone());
                error.0.faults = vec![Fault::new(pointer, "dependency_cycle", detail)];
                error
            }
            Rejection::Invalid { faults } => {
                // When nothing else is wrong, the code says the one thing that is.
                let only = [Code::UnknownDependency, Code::DependencyCycle]
                    .into_iter()
                    .find(|code| faults.iter().all(|fault| fault.code == code.as_str()));
                let mut error = Self::validation(faults);
                if let Some(code) = only {
                    error.0.code = code;
                }
                error
            }
        }
    }
}

/// A caller's own text as messages repeat it: short, without control characters.
pub(crate) fn quoted(text: &str) -> String {
    use crate::limits::QUOTED_CHARS_MAX;
    let mut short: String = text
        .chars()
        .take(QUOTED_CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(QUOTED_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}
