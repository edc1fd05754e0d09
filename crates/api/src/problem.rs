//! Errors on the wire: RFC 9457 problem details.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused (RFC 9457). `errors` lists every fault found, not the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "https://mcpanel.dev/errors/validation",
    "title": "The request is not valid",
    "status": 422,
    "detail": "2 faults; see `errors`",
    "code": "validation",
    "request_id": "req_01jgk3v8f2q4x6z8b0d2f4h6j8",
    "errors": [
        {"pointer": "/priority", "code": "out_of_range", "detail": "is 5000; at most 1000"},
        {"pointer": "/task_type", "code": "required", "detail": "is missing"}
    ]
}))]
pub struct Problem {
    /// A page about this kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in words, the same for each of its kind.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The kind of problem for programs, stable.
    pub code: String,
    /// What to quote when asking about it; also in the header `X-Request-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Every fault of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Where: a JSON pointer (RFC 6901) into the body, or `/name` of a query parameter or header;
    /// empty for the whole body.
    pub pointer: String,
    /// The kind of fault, stable.
    pub code: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl From<mcpanel_domain::Fault> for Fault {
    fn from(fault: mcpanel_domain::Fault) -> Self {
        Self {
            pointer: fault.pointer,
            code: fault.code.to_owned(),
            detail: fault.detail,
        }
    }
}

impl std::fmt::Display for Problem {
    /// `validation (422): 2 faults; see `errors`: /priority is 5000; at most 1000; …`, for logs and
    /// command lines.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.detail)?;
        for fault in &self.errors {
            write!(f, "; `{}` {}", fault.pointer, fault.detail)?;
        }
        Ok(())
    }
}
