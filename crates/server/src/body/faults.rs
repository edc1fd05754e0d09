//! Faults and their pointers.

use std::borrow::Cow;

use mcpanel_domain::Fault;

use crate::{error::quoted, limits::FAULTS_MAX};

/// A name as part of a JSON pointer (RFC 6901).
pub(crate) fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Faults found so far, and where the walk is.
#[derive(Default)]
pub(super) struct Faults<'s> {
    pub(super) path: Vec<Step<'s>>,
    pub(super) found: Vec<Fault>,
}

/// A step of the way from the whole to a value.
pub(super) enum Step<'s> {
    Field(&'s str),
    Name(String),
    Item(usize),
}

impl<'s> Faults<'s> {
    /// A fault here.
    pub(super) fn add(&mut self, code: &'static str, detail: impl Into<String>) {
        if self.found.len() < FAULTS_MAX {
            let fault = Fault::new(self.pointer(), code, detail);
            self.found.push(fault);
        }
    }

    /// A fault one step further.
    pub(super) fn add_at(&mut self, step: Step<'s>, code: &'static str, detail: impl Into<String>) {
        self.path.push(step);
        self.add(code, detail);
        self.path.pop();
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Field(name) => pointer.push_str(&escaped(name)),
                Step::Name(name) => pointer.push_str(&escaped(&quoted(name))),
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}
