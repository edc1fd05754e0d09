//! What two kinds of events tell beyond their fields: the specification gives them a list of capabilities and a deadline.
//!
//! Details are written in the message, readable for people, and not as fields of their own: the stored form of events is
//! that of every log there is.

use super::{Event, Kind};
use crate::{Name, Timestamp};

/// What stands between two capabilities. No name contains it.
const BETWEEN: &str = ", ";

/// What stands before a deadline.
const DUE: &str = "due ";

impl Event {
    /// An agent signed on with these capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: &[Name]) -> Self {
        let names: Vec<&str> = capabilities.iter().map(Name::as_str).collect();
        self.message = Some(names.join(BETWEEN));
        self
    }

    /// The capabilities with which an agent signed on; `None` where the event does not tell.
    pub fn capabilities(&self) -> Option<Vec<Name>> {
        if self.kind != Kind::AgentRegistered {
            return None;
        }
        let names = self.message.as_deref()?.split(BETWEEN);
        let names = names.filter(|name| !name.is_empty());
        names.map(|name| Name::parse(name).ok()).collect()
    }

    /// A task was given to an agent, to be done by this time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Option<Timestamp>) -> Self {
        self.message = deadline.map(|deadline| format!("{DUE}{deadline}"));
        self
    }

    /// The time by which a task that was given to an agent is to be done.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.kind != Kind::TaskDelegated {
            return None;
        }
        let message = self.message.as_deref()?;
        Timestamp::parse(message.strip_prefix(DUE)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespace;

    fn of(kind: Kind) -> Event {
        Event::new(kind, Timestamp::ZERO, Namespace::default_namespace())
    }

    #[test]
    fn capabilities_are_read_as_they_were_written() {
        for names in [&["a:b", "c.d-e"][..], &["one"], &[]] {
            let names: Vec<Name> = names
                .iter()
                .map(|name| Name::parse(name).unwrap())
                .collect();
            let told = of(Kind::AgentRegistered).with_capabilities(&names);
            assert_eq!(told.capabilities(), Some(names));
        }
    }

    #[test]
    fn a_deadline_is_read_as_it_was_written() {
        let deadline = Timestamp::from_ms(1_767_323_045_678);
        let told = of(Kind::TaskDelegated).with_deadline(Some(deadline));
        assert_eq!(told.deadline(), Some(deadline));
        assert_eq!(told.message.unwrap(), "due 2026-01-02T03:04:05.678Z");
        assert_eq!(of(Kind::TaskDelegated).with_deadline(None).deadline(), None);
    }

    #[test]
    fn what_older_events_do_not_tell_and_others_say_is_no_detail() {
        assert_eq!(of(Kind::AgentRegistered).capabilities(), None);
        let mut released = of(Kind::TaskReleased);
        released.message = Some("due 2026-01-02T03:04:05.678Z".to_owned());
        assert_eq!((released.deadline(), released.capabilities()), (None, None));
    }
}
