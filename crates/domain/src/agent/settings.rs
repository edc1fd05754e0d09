//! What an agent says of itself when it signs on, and what may be changed later.

use crate::{
    AgentId, Fault, Name, Payload,
    limits::{
        CAPABILITIES_MAX, CONCURRENCY_DEFAULT, CONCURRENCY_MAX, PAYLOAD_BYTES_MAX, TITLE_CHARS_MAX,
        URL_CHARS_MAX,
    },
    text::bad_text,
};

/// What an agent says when it signs on.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its id.
    pub id: AgentId,
    /// What people call it.
    pub name: String,
    /// What kind it is.
    pub agent_type: Name,
    /// What it can do.
    pub capabilities: Vec<Name>,
    /// Most tasks it holds at once; the usual figure when none.
    pub concurrency: Option<u32>,
    /// Free-form.
    pub metadata: Payload,
    /// What its token allows.
    pub permissions: Vec<String>,
    /// Its own version.
    pub version: Option<String>,
    /// Where it can be reached.
    pub endpoint_url: Option<String>,
    /// Where it says how it is.
    pub health_check_url: Option<String>,
}

impl Registration {
    /// Everything wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_title(&self.name, &mut faults);
        check_capabilities(&self.capabilities, &mut faults);
        check_concurrency(self.concurrency, &mut faults);
        check_metadata(&self.metadata, &mut faults);
        check_version(self.version.as_deref(), &mut faults);
        check_url("/endpoint_url", self.endpoint_url.as_deref(), &mut faults);
        check_url(
            "/health_check_url",
            self.health_check_url.as_deref(),
            &mut faults,
        );
        faults
    }

    pub(super) fn concurrency(&self) -> u32 {
        self.concurrency.unwrap_or(CONCURRENCY_DEFAULT)
    }
}

/// Changes to an agent; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What people call it.
    pub name: Option<String>,
    /// What kind it is.
    pub agent_type: Option<Name>,
    /// What it can do.
    pub capabilities: Option<Vec<Name>>,
    /// Most tasks it holds at once.
    pub concurrency: Option<u32>,
    /// Free-form.
    pub metadata: Option<Payload>,
    /// Its own version.
    pub version: Option<String>,
    /// Where it can be reached; `Some(None)` nowhere.
    pub endpoint_url: Option<Option<String>>,
    /// Where it says how it is; `Some(None)` nowhere.
    pub health_check_url: Option<Option<String>>,
    /// Whether it is given work.
    pub admission: Option<super::Admission>,
}

impl Changes {
    /// Everything wrong with them.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(name) = &self.name {
            check_title(name, &mut faults);
        }
        if let Some(capabilities) = &self.capabilities {
            check_capabilities(capabilities, &mut faults);
        }
        check_concurrency(self.concurrency, &mut faults);
        if let Some(metadata) = &self.metadata {
            check_metadata(metadata, &mut faults);
        }
        check_version(self.version.as_deref(), &mut faults);
        check_url(
            "/endpoint_url",
            self.endpoint_url.as_ref().and_then(|url| url.as_deref()),
            &mut faults,
        );
        check_url(
            "/health_check_url",
            self.health_check_url
                .as_ref()
                .and_then(|url| url.as_deref()),
            &mut faults,
        );
        faults
    }
}

/// Names sorted, without repeats.
pub(super) fn sorted(mut names: Vec<Name>) -> Vec<Name> {
    names.sort();
    names.dedup();
    names
}

fn check_title(name: &str, faults: &mut Vec<Fault>) {
    if name.trim().is_empty() {
        faults.push(Fault::new("/name", "empty", "must not be empty"));
    } else if let Some(why) = bad_text(name, TITLE_CHARS_MAX) {
        faults.push(Fault::new("/name", "too_long", why));
    }
}

fn check_capabilities(capabilities: &[Name], faults: &mut Vec<Fault>) {
    if capabilities.is_empty() {
        faults.push(Fault::new(
            "/capabilities",
            "empty",
            "names no capability; without one the agent would never be given a task",
        ));
    } else if capabilities.len() > CAPABILITIES_MAX {
        faults.push(Fault::new(
            "/capabilities",
            "too_many",
            format!(
                "has {} items; at most {CAPABILITIES_MAX}",
                capabilities.len()
            ),
        ));
    }
}

fn check_concurrency(concurrency: Option<u32>, faults: &mut Vec<Fault>) {
    if let Some(found) = concurrency
        && !(1..=CONCURRENCY_MAX).contains(&found)
    {
        faults.push(Fault::new(
            "/concurrency",
            "out_of_range",
            format!("is {found}; must be from 1 to {CONCURRENCY_MAX}"),
        ));
    }
}

fn check_metadata(metadata: &Payload, faults: &mut Vec<Fault>) {
    if metadata.size_bytes() > PAYLOAD_BYTES_MAX {
        faults.push(Fault::new(
            "/metadata",
            "too_large",
            format!(
                "has {} bytes; at most {PAYLOAD_BYTES_MAX}",
                metadata.size_bytes()
            ),
        ));
    }
}

fn check_version(version: Option<&str>, faults: &mut Vec<Fault>) {
    if let Some(why) = version.and_then(|version| bad_text(version, TITLE_CHARS_MAX)) {
        faults.push(Fault::new("/version", "too_long", why));
    }
}

fn check_url(pointer: &str, url: Option<&str>, faults: &mut Vec<Fault>) {
    let Some(url) = url else { return };
    if let Some(why) = bad_text(url, URL_CHARS_MAX) {
        faults.push(Fault::new(pointer, "too_long", why));
    } else if !(url.starts_with("http://") || url.starts_with("https://"))
        || url.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        faults.push(Fault::new(
            pointer,
            "not_a_url",
            "is no URL that begins with `http://` or `https://`",
        ));
    }
}
