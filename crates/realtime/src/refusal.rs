//! What this edge refuses by itself, as problems. The codes are those of the REST API; a test there compares.

use mcpanel_api::{Fault, Problem};

use crate::limits::QUOTED_CHARS_MAX;

/// Where the pages about codes are.
const PAGES: &str = "https://mcpanel.dev/errors/";

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// A code of the REST API that this edge answers itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal { $($(#[$doc])* $name,)+ }

        impl Refusal {
            /// Every one: code, status and title.
            pub const ALL: &'static [(&'static str, u16, &'static str)] = &[$(($code, $status, $title),)+];

            fn parts(self) -> (&'static str, u16, &'static str) {
                match self { $(Self::$name => ($code, $status, $title),)+ }
            }
        }
    };
}

refusals! {
    /// Something is wrong with what was sent.
    Validation = "validation", 422, "The request is not valid";
    /// What was sent cannot be read.
    MalformedJson = "malformed_json", 400, "The body is not JSON";
    /// No credentials, or none that are valid.
    Unauthenticated = "unauthenticated", 401, "Credentials are missing or not valid";
    /// A permission is missing.
    Forbidden = "forbidden", 403, "Not allowed";
    /// There is no such thing here.
    NotFound = "not_found", 404, "Not found";
    /// Something else is there already.
    Conflict = "conflict", 409, "The request conflicts with what exists";
    /// This caller sends too much.
    TooMany = "too_many", 429, "Too many at once";
    /// The server has too much to do.
    Overloaded = "overloaded", 503, "The server has too much to do";
}

impl Refusal {
    /// The problem, in these words.
    pub fn because(self, detail: impl Into<String>) -> Box<Problem> {
        let (code, status, title) = self.parts();
        Box::new(Problem {
            kind: format!("{PAGES}{code}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            instance: None,
            code: code.to_owned(),
            request_id: None,
            errors: Vec::new(),
        })
    }

    /// One fault of what was sent.
    pub fn fault(pointer: &str, code: &str, detail: impl Into<String>) -> Box<Problem> {
        let detail = detail.into();
        let mut problem = Self::Validation.because(format!("`{pointer}` {detail}"));
        problem.errors.push(Fault {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            detail,
        });
        problem
    }
}

/// A caller's own text as messages repeat it: short, without control characters.
pub(crate) fn quoted(text: &str) -> String {
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
