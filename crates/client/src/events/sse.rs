//! The text of server-sent events, cut into messages (WHATWG HTML, section 9.2).

use std::collections::VecDeque;

/// Longest message, in bytes: events hold no payloads, their texts are bounded, and this is far more.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// Its number.
    pub(super) id: Option<String>,
    /// What kind it is.
    pub(super) event: Option<String>,
    /// Its lines, joined.
    pub(super) data: String,
}

/// Takes bytes as they come, and gives whole messages.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    message: Message,
    ready: VecDeque<Message>,
    after_return: bool,
}

impl Parser {
    /// More bytes. Fails when a message is longer than any of the server's.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        for byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' => self.end_line(),
                b'\r' => {
                    self.after_return = true;
                    self.end_line();
                }
                other => self.line.push(*other),
            }
            if self.line.len() + self.message.data.len() > MESSAGE_BYTES_MAX {
                return Err(format!(
                    "a message is longer than {MESSAGE_BYTES_MAX} bytes"
                ));
            }
        }
        Ok(())
    }

    /// The next whole message.
    pub(super) fn message(&mut self) -> Option<Message> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        if line.is_empty() {
            let mut message = std::mem::take(&mut self.message);
            if message.data.ends_with('\n') {
                message.data.pop();
            }
            if message != Message::default() {
                self.ready.push_back(message);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line.as_str(), ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                self.message.data.push_str(value);
                self.message.data.push('\n');
            }
            "event" => self.message.event = Some(value.to_owned()),
            "id" => self.message.id = Some(value.to_owned()),
            // Comments (an empty field name), `retry`, and what is yet to be invented.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, cut: usize) -> Vec<Message> {
        let mut parser = Parser::default();
        let mut found = Vec::new();
        for piece in text.as_bytes().chunks(cut) {
            parser.feed(piece).unwrap();
            found.extend(std::iter::from_fn(|| parser.message()));
        }
        found
    }

    #[test]
    fn messages_are_whole_however_the_bytes_are_cut() {
        let text = ": ping\n\nid: 7\nevent: task:completed\ndata: {\"a\":\ndata: 1}\n\nid: 8\r\ndata: ä\r\n\r\n";
        let expected = [
            Message {
                id: Some("7".to_owned()),
                event: Some("task:completed".to_owned()),
                data: "{\"a\":\n1}".to_owned(),
            },
            Message {
                id: Some("8".to_owned()),
                event: None,
                data: "ä".to_owned(),
            },
        ];
        for cut in 1..text.len() {
            assert_eq!(messages(text, cut), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_message_without_end_is_refused() {
        let mut parser = Parser::default();
        let endless = vec![b'x'; MESSAGE_BYTES_MAX + 1];
        assert!(parser.feed(&endless).is_err());
    }
}
