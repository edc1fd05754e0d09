//! The text of messages: a digit of the transport, a digit of the protocol, a number to acknowledge with, and JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use super::SocketError;

/// The answer to a ping.
pub(super) const PONG: &str = "3";

/// Leaves the namespace.
pub(super) const LEAVE: &str = "41";

/// A message as it is meant.
#[derive(Debug)]
pub(super) enum Frame {
    /// Are you there?
    Ping,
    /// Something happened.
    Event {
        event: String,
        body: Box<RawValue>,
        ack: Option<u64>,
    },
    /// The answer to a call.
    Ack { id: u64, body: Box<RawValue> },
    /// The server ends the connection.
    End,
    /// Nothing that matters here.
    Other,
}

/// Reads a message.
pub(super) fn parse(text: &str) -> Frame {
    if text == "2" {
        return Frame::Ping;
    }
    if text == "1" || text == "41" {
        return Frame::End;
    }
    let parsed = match text.get(..2) {
        Some("42") => event_of(&text[2..]),
        Some("43") => ack_of(&text[2..]),
        _ => None,
    };
    parsed.unwrap_or(Frame::Other)
}

fn event_of(text: &str) -> Option<Frame> {
    let (ack, json) = numbered(text)?;
    let mut parts: Vec<Box<RawValue>> = serde_json::from_str(json).ok()?;
    let body = if parts.len() > 1 {
        parts.swap_remove(1)
    } else {
        null()
    };
    let event = serde_json::from_str(parts.first()?.get()).ok()?;
    Some(Frame::Event { event, body, ack })
}

fn ack_of(text: &str) -> Option<Frame> {
    let (id, json) = numbered(text)?;
    let parts: Vec<Box<RawValue>> = serde_json::from_str(json).ok()?;
    let body = parts.into_iter().next().unwrap_or_else(null);
    Some(Frame::Ack { id: id?, body })
}

fn numbered(text: &str) -> Option<(Option<u64>, &str)> {
    let begin = text.find('[')?;
    let (digits, json) = text.split_at(begin);
    Some((digits.parse().ok(), json))
}

fn null() -> Box<RawValue> {
    RawValue::from_string("null".to_owned()).expect("null is JSON")
}

/// Writes an event.
pub(super) fn event(
    event: &str,
    body: &(impl Serialize + ?Sized),
    ack: Option<u64>,
) -> Result<String, SocketError> {
    let json = serde_json::to_string(&(event, body))?;
    let id = ack.map(|id| id.to_string()).unwrap_or_default();
    Ok(format!("42{id}{json}"))
}

/// Writes an acknowledgement.
pub(super) fn ack(id: u64, body: &(impl Serialize + ?Sized)) -> Result<String, SocketError> {
    Ok(format!("43{id}{}", serde_json::to_string(&(body,))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = event("task:start", &serde_json::json!({"taskId": "t"}), Some(7)).unwrap();
        assert_eq!(text, r#"427["task:start",{"taskId":"t"}]"#);
        match parse(&text) {
            Frame::Event { event, body, ack } => {
                assert_eq!(
                    (event.as_str(), body.get(), ack),
                    ("task:start", r#"{"taskId":"t"}"#, Some(7))
                );
            }
            other => panic!("{other:?}"),
        }
        match parse(&ack(12, &true).unwrap()) {
            Frame::Ack { id, body } => assert_eq!((id, body.get()), (12, "true")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_message_does_no_harm() {
        for text in ["", "4", "42", "43[]", "42x", "4é", "42[", "42{}"] {
            assert!(matches!(parse(text), Frame::Other), "{text}");
        }
        assert!(matches!(parse("2"), Frame::Ping));
        assert!(matches!(parse("41"), Frame::End));
    }
}
