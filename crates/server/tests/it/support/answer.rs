//! What the server answers.

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode},
};
use http_body_util::BodyExt;
use mcpanel_api::Problem;
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body, whatever the status.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The problem, which must have this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Problem {
        let problem = self.problem(code);
        assert_eq!(problem.status, status, "{problem}");
        problem
    }

    /// The problem, which must have this code.
    #[track_caller]
    pub fn problem(&self, code: &str) -> Problem {
        let problem = self.any_problem();
        assert_eq!(problem.code, code, "{problem}");
        problem
    }

    /// The problem, after checking what all problems have.
    #[track_caller]
    pub fn any_problem(&self) -> Problem {
        let kind = self.header("content-type");
        assert_eq!(kind, "application/problem+json", "{}", self.text());
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(
            problem.kind,
            format!("https://mcpanel.dev/errors/{}", problem.code)
        );
        assert_eq!(
            problem.request_id.as_deref(),
            Some(self.header("x-request-id"))
        );
        assert!(problem.instance.is_some());
        problem
    }

    /// The pointers of a problem's faults, sorted.
    #[track_caller]
    pub fn pointers(&self) -> Vec<String> {
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        let mut pointers: Vec<String> = problem
            .errors
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        pointers.sort();
        pointers
    }

    /// The header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
