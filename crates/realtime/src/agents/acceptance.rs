//! What an agent's acknowledgement of a delivery says.

use serde_json::{Map, Value};

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The agent takes the task.
    Yes,
    /// It does not.
    No,
    /// Nobody can tell; a task is not left with an agent that may not want it.
    Unclear,
}

/// Words that people acknowledge messages with.
const YES: [&str; 3] = ["ok", "yes", "accepted"];

/// Reads an acknowledgement: nothing, `true` and `{accepted: true}` take the task, `false` and `{accepted: false}` do not.
/// What people write from habit, such as `"ok"` or `{status: "ok"}`, means what it says.
pub(super) fn answered(said: &Value) -> Said {
    match said {
        Value::Null => Said::Yes,
        Value::Bool(true) => Said::Yes,
        Value::Bool(false) => Said::No,
        Value::String(word) => a_word(word),
        Value::Array(several) => match several.as_slice() {
            [] => Said::Yes,
            [one] => answered(one),
            _ => Said::Unclear,
        },
        Value::Object(fields) => several(fields),
        Value::Number(_) => Said::Unclear,
    }
}

/// The first of the fields that could say it, where no other says the opposite.
fn several(fields: &Map<String, Value>) -> Said {
    if fields.is_empty() {
        return Said::Yes;
    }
    let says = ["accepted", "ok", "status"].map(|name| match (name, fields.get(name)?) {
        (_, Value::Null) => None,
        ("status", Value::String(word)) => Some(a_word(word)),
        ("accepted" | "ok", Value::Bool(true)) => Some(Said::Yes),
        ("accepted" | "ok", Value::Bool(false)) => Some(Said::No),
        _ => Some(Said::Unclear),
    });
    let mut says = says.into_iter().flatten();
    match says.next() {
        Some(first) if says.all(|other| other == first) => first,
        _ => Said::Unclear,
    }
}

fn a_word(word: &str) -> Said {
    match YES.iter().any(|yes| word.eq_ignore_ascii_case(yes)) {
        true => Said::Yes,
        false => Said::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_and_a_yes_take_the_task() {
        for said in [
            json!(null),
            json!(true),
            json!({}),
            json!([]),
            json!([{"accepted": true}]),
            json!({"accepted": true, "reason": null, "more": 1}),
            json!({"ok": true}),
            json!({"status": "ok"}),
            json!("OK"),
        ] {
            assert_eq!(answered(&said), Said::Yes, "{said}");
        }
    }

    #[test]
    fn a_no_does_not() {
        for said in [
            json!(false),
            json!({"accepted": false, "reason": "busy"}),
            json!({"ok": false}),
            json!([false]),
        ] {
            assert_eq!(answered(&said), Said::No, "{said}");
        }
    }

    #[test]
    fn what_could_be_either_is_not_taken_for_a_yes() {
        for said in [
            json!("no"),
            json!(0),
            json!(1),
            json!({"accepted": "no"}),
            json!({"accept": false}),
            json!({"reason": "busy"}),
            json!({"accepted": true, "ok": false}),
            json!({"accepted": true, "status": "failed"}),
            json!([true, false]),
        ] {
            assert_eq!(answered(&said), Said::Unclear, "{said}");
        }
    }
}
