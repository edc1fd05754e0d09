//! Calls of one socket: those about the same task one after the other, the others beside each other.
//!
//! An agent may say "half done" and "done" without waiting in between, and the second must not overtake the first.
//! One long lane for all would make an agent with many tasks wait for a flush of the disk for each call.

use std::collections::{HashMap, VecDeque};

use mcpanel_api::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use socketioxide::extract::AckSender;

/// A call that waits.
pub(crate) struct Call {
    /// The event's name.
    pub(crate) event: String,
    /// What came with it.
    pub(crate) body: Box<RawValue>,
    /// Where its answer goes.
    pub(crate) ack: AckSender,
    /// How much it weighs within its socket's bounds.
    pub(crate) bytes: usize,
}

/// What the order of a call depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Calls about a task.
    Task(String),
    /// Sign-on, heartbeats.
    Agent,
    /// Rooms.
    Rooms,
}

impl Lane {
    /// The lane of a call.
    pub(crate) fn of(event: &str, body: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct About {
            #[serde(rename = "taskId")]
            task_id: String,
        }
        if event.starts_with("agent:") {
            return Self::Agent;
        }
        // Who names no task is refused, in whatever order.
        match serde_json::from_str::<About>(body.get()) {
            Ok(about) => Self::Task(about.task_id),
            Err(_) => Self::Rooms,
        }
    }
}

/// What waits, by lane. A lane is there while somebody works through it.
pub(crate) struct Lanes<T>(HashMap<Lane, VecDeque<T>>);

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Lanes<T> {
    /// Puts a call into its lane. When this tells true, the caller works through the lane with [`Lanes::next`].
    pub(crate) fn push(&mut self, lane: &Lane, call: T) -> bool {
        let is_new = !self.0.contains_key(lane);
        self.0.entry(lane.clone()).or_default().push_back(call);
        is_new
    }

    /// The next call of a lane; the lane is gone when there is none.
    pub(crate) fn next(&mut self, lane: &Lane) -> Option<T> {
        let call = self.0.get_mut(lane)?.pop_front();
        if call.is_none() {
            self.0.remove(lane);
        }
        call
    }
}

/// What came with an event. As raw JSON an event comes whole, `["name", what, …]`; one without anything came with `{}`.
pub(crate) fn argument(event: &RawValue) -> Box<RawValue> {
    let parts = serde_json::from_str::<Vec<Box<RawValue>>>(event.get());
    let argument = parts.ok().and_then(|parts| parts.into_iter().nth(1));
    argument
        .unwrap_or_else(|| RawValue::from_string("{}".to_owned()).expect("an empty object is JSON"))
}

/// The specification wraps payloads as `{type, payload}`; both forms are read.
pub(crate) fn unwrapped(event: &str, body: Box<RawValue>) -> Result<Box<RawValue>, Box<Problem>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrapped {
        #[serde(rename = "type")]
        kind: String,
        payload: Box<RawValue>,
    }
    // A struct is read from a list too, and a list is not what the specification means.
    if !body.get().starts_with('{') {
        return Ok(body);
    }
    match serde_json::from_str::<Wrapped>(body.get()) {
        Ok(wrapped) if wrapped.kind == event => Ok(wrapped.payload),
        Ok(wrapped) => Err(crate::refusal::Refusal::fault(
            "/type",
            "unknown_value",
            format!(
                "is `{}`; must be the event's name, `{event}`",
                crate::refusal::quoted(&wrapped.kind)
            ),
        )),
        Err(_) => Ok(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn calls_about_a_task_share_a_lane() {
        let lane = |event, body| Lane::of(event, &raw(body));
        assert_eq!(
            lane("task:progress", r#"{"lease":"x","taskId":"t"}"#),
            lane("task:complete", r#"{"taskId":"t","result":{"taskId":"u"}}"#)
        );
        assert_ne!(
            lane("task:start", r#"{"taskId":"t"}"#),
            lane("task:start", r#"{"taskId":"u"}"#)
        );
        assert_eq!(lane("subscribe", "7"), Lane::Rooms);
        assert_eq!(lane("agent:heartbeat", r#"{"taskId":"t"}"#), Lane::Agent);
    }

    #[test]
    fn a_lane_is_worked_through_once_and_in_order() {
        let mut lanes = Lanes::default();
        assert!(lanes.push(&Lane::Agent, 1));
        assert!(!lanes.push(&Lane::Agent, 2), "somebody is at it");
        assert!(lanes.push(&Lane::Rooms, 3));
        assert_eq!(
            [lanes.next(&Lane::Agent), lanes.next(&Lane::Agent)],
            [Some(1), Some(2)]
        );
        assert_eq!(lanes.next(&Lane::Agent), None);
        assert!(lanes.push(&Lane::Agent, 4), "the lane was left");
    }

    #[test]
    fn the_first_argument_counts_and_may_be_missing() {
        assert_eq!(
            argument(&raw(r#"["a",{"b":1.50},7]"#)).get(),
            r#"{"b":1.50}"#
        );
        assert_eq!(argument(&raw(r#"["a",["a",{}]]"#)).get(), r#"["a",{}]"#);
        assert_eq!(argument(&raw(r#"["a"]"#)).get(), "{}");
    }

    #[test]
    fn the_specifications_wrapping_is_taken_off() {
        let wrapped = raw(r#"{"type":"agent:register","payload":{"agentId":"a"}}"#);
        assert_eq!(
            unwrapped("agent:register", wrapped).unwrap().get(),
            r#"{"agentId":"a"}"#
        );
        let wrapped = raw(
            r#"{"payload":{"agentId":"bias-1","capabilities":["b"],"metadata":{"team":"a"}},"type":"agent:register"}"#,
        );
        assert!(
            unwrapped("agent:register", wrapped)
                .unwrap()
                .get()
                .starts_with(r#"{"agentId":"bias-1""#)
        );
        let bare = raw(r#"{"type":"x","agentId":"a"}"#);
        assert_eq!(
            unwrapped("agent:register", bare).unwrap().get(),
            r#"{"type":"x","agentId":"a"}"#
        );
        let list = raw(r#"["agent:register",{"agentId":"a"}]"#);
        assert!(
            unwrapped("agent:register", list)
                .unwrap()
                .get()
                .starts_with('[')
        );
        let other = raw(r#"{"type":"task:start","payload":{}}"#);
        assert_eq!(
            unwrapped("agent:register", other).unwrap_err().code,
            "validation"
        );
    }
}
