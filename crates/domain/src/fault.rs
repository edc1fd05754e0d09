//! One thing that is wrong with an input, and where.

use std::fmt;

/// A fault in an input, with the JSON pointer (RFC 6901) of the offending value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer into the body, such as `/tasks/3/priority`; empty for the whole.
    pub pointer: String,
    /// A stable word for the kind of fault, such as `out_of_range`.
    pub code: &'static str,
    /// What is wrong and what would be right, for people.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }

    /// The same fault below `prefix`, for a value inside a larger one.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "`{}`: {}", self.pointer, self.detail)
        }
    }
}
