//! Documents as YAML: the API's own fields in their order, in block style.
//!
//! Only a small part of YAML is written, so that every reader understands it alike: mappings, lists, and scalars
//! that are plain where nobody could take them for anything but a word, else in the double quotes of JSON, which
//! are YAML's too (YAML 1.2, section 1.3).

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::{line, unwritable};
use crate::Result;

/// Writes a document to stdout.
pub fn document<T: Serialize + ?Sized>(document: &T) -> Result<()> {
    line(&text(&node(document)?))
}

/// Writes a document to stdout as one of a list.
pub fn item<T: Serialize + ?Sized>(document: &T) -> Result<()> {
    line(&text(&Node::List(vec![node(document)?])))
}

/// Writes a document to stdout as one of a stream.
pub fn streamed<T: Serialize + ?Sized>(document: &T) -> Result<()> {
    line(&format!("---\n{}", text(&node(document)?)))
}

/// A JSON value whose fields keep their order.
#[derive(Debug)]
enum Node {
    /// As it is written.
    Scalar(String),
    List(Vec<Node>),
    Mapping(Vec<(String, Node)>),
}

fn node<T: Serialize + ?Sized>(document: &T) -> Result<Node> {
    // By way of text: payloads are kept as the text that was sent.
    let json = serde_json::to_string(document).map_err(unwritable)?;
    serde_json::from_str(&json).map_err(unwritable)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Node, E> {
        Ok(Node::Scalar("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Node, E> {
        Ok(Node::Scalar(serde_json::Value::from(value).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Node, E> {
        Ok(Node::Scalar(word(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<Node, A::Error> {
        let mut mapping = Vec::new();
        while let Some((name, value)) = fields.next_entry::<String, Node>()? {
            mapping.push((word(&name), value));
        }
        Ok(Node::Mapping(mapping))
    }
}

/// A value as text without a line end.
fn text(node: &Node) -> String {
    let mut text = String::new();
    write(&mut text, node, 0);
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Writes a value whose line has been begun, and indented, already.
fn write(text: &mut String, node: &Node, depth: usize) {
    match node {
        Node::Scalar(scalar) => end(text, scalar),
        Node::List(items) if items.is_empty() => end(text, "[]"),
        Node::Mapping(fields) if fields.is_empty() => end(text, "{}"),
        Node::List(items) => {
            for (at, item) in items.iter().enumerate() {
                indent(text, at, depth);
                text.push_str("- ");
                write(text, item, depth + 1);
            }
        }
        Node::Mapping(fields) => {
            for (at, (name, value)) in fields.iter().enumerate() {
                indent(text, at, depth);
                text.push_str(name);
                text.push(':');
                if value.is_block() {
                    text.push('\n');
                    indent(text, 1, depth + 1);
                    write(text, value, depth + 1);
                } else {
                    text.push(' ');
                    write(text, value, depth + 1);
                }
            }
        }
    }
}

impl Node {
    /// Whether it has lines of its own.
    fn is_block(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::List(items) => !items.is_empty(),
            Self::Mapping(fields) => !fields.is_empty(),
        }
    }
}

fn end(text: &mut String, scalar: &str) {
    text.push_str(scalar);
    text.push('\n');
}

/// Indents a line, unless it is the first of its block, which stands beside a dash or was indented by its owner.
fn indent(text: &mut String, at: usize, depth: usize) {
    if at > 0 {
        for _ in 0..depth {
            text.push_str("  ");
        }
    }
}

/// A text, bare where it is a word that no reader takes for something else.
fn word(text: &str) -> String {
    const TAKEN: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter))
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str());
    if is_word {
        return text.to_owned();
    }
    // JSON leaves these as they are, and YAML would end the line at some of them.
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
        .replace('\u{85}', "\\u0085")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
        .replace('\u{feff}', "\\ufeff")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(json: &str) -> String {
        text(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_document_is_indented_and_keeps_its_order() {
        let json = r#"{
            "task_id": "a", "tags": ["x", {"b": 1, "c": [[2.5, 3]]}], "none": null, "empty": {}, "list": [],
            "deep": {"er": {"text": "zwei Wörter", "is": true}}, "after": -1
        }"#;
        let expected = "\
task_id: a
tags:
  - x
  - b: 1
    c:
      - - 2.5
        - 3
none: null
empty: {}
list: []
deep:
  er:
    text: \"zwei Wörter\"
    is: true
after: -1";
        assert_eq!(yaml(json), expected);
    }

    #[test]
    fn a_list_of_documents_is_one_list() {
        assert_eq!(
            yaml(r#"[{"a": 1}, {"a": {"b": 2}}]"#),
            "- a: 1\n- a:\n    b: 2"
        );
        assert_eq!(yaml("[]"), "[]");
        assert_eq!(yaml("\"x\""), "x");
    }

    #[test]
    fn text_stays_text() {
        for text in [
            "",
            "true",
            "No",
            "1",
            "1e3",
            "-",
            "~",
            "a: b",
            "a #b",
            "2026-01-02",
            "0x1",
            " a",
            "*a",
            "a\nb",
            "\u{85}",
            "ä",
        ] {
            let written = word(text);
            assert!(
                written.starts_with('"') && !written.contains('\n'),
                "{text:?}: {written}"
            );
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
        for text in ["a", "pipe_1.s2.000000", "text/csv", "bias-1"] {
            assert_eq!(word(text), text);
        }
    }
}
