use serde_json::json;

use super::*;

const ANSWER: &str =
    "It makes sense that you feel this way, and it can get better with time and support.";

fn record(user: &str, assistant: &str) -> Value {
    json!({
        "id": "rec_0123456789abcdef0123",
        "messages": [
            {"role": "system", "content": "Be kind to people."},
            {"role": "user", "content": user},
            {"role": "assistant", "content": assistant},
        ],
        "metadata": {
            "group": "grp_0123456789abcdef0123",
            "topics": ["Anxiety"],
            "source": {"file": "sha256:00", "row": 7, "line": 9},
            "tokens": {"system": 4, "user": 10, "assistant": 20, "total": 34},
            "pii": {"NAME": 1},
            "flags": [],
        },
    })
}

fn run(document: &Value, parameters: Value) -> Result<ChatRecord, Vec<String>> {
    let checks = Checks::from_parameters(Parameters(&parameters)).unwrap();
    check(&checks, document, &mut StageMetrics::new(VALIDATION)).map_err(|reject| {
        reject
            .reasons
            .into_iter()
            .map(|reason| reason.code)
            .collect()
    })
}

#[test]
fn a_good_record_passes_and_is_unchanged() {
    let document = record("Why do I worry every night about my exams?", ANSWER);
    let kept = run(&document, json!({})).unwrap();
    assert_eq!(serde_json::to_value(kept).unwrap(), document);
}

#[test]
fn a_record_fails_with_all_its_reasons() {
    let document = record("Write to ada@example.com", "No.");
    assert_eq!(
        run(&document, json!({})).unwrap_err(),
        ["leftover_identifier", "answer_too_short"]
    );
    let document = record("[NAME]", ANSWER);
    assert_eq!(
        run(&document, json!({"tokens_max": 10})).unwrap_err(),
        ["empty_turn", "too_long"]
    );
}

#[test]
fn the_schema_is_applied_and_its_reasons_quote_no_text() {
    let mut document = record("Why do I worry every night?", ANSWER);
    document["metadata"]["secret"] = json!("Ada");
    document["messages"][1]["role"] = json!("client");
    let checks = Checks::from_parameters(Parameters(&json!({}))).unwrap();
    let reject = check(&checks, &document, &mut StageMetrics::new(VALIDATION)).unwrap_err();
    assert!(reject.reasons.len() >= 2, "{reject:?}");
    assert!(reject.reasons.iter().all(|reason| reason.code == "schema"));
    assert!(!format!("{reject:?}").contains("Ada"));
    assert_eq!((reject.row, reject.line), (7, 9));
    assert_eq!(
        run(&json!({"nothing": 1}), json!({})).unwrap_err()[0],
        "schema"
    );
}

#[test]
fn another_language_is_refused_unless_asked_for() {
    let spanish = "Entiendo que te sientas así. Es importante que hables con alguien de confianza sobre lo que te pasa.";
    let document = record(
        "Why do I worry every night about my exams and everything else in life?",
        spanish,
    );
    assert_eq!(run(&document, json!({})).unwrap_err(), ["language"]);
    assert!(run(&document, json!({"languages": ["eng", "spa"]})).is_ok());
    let wrong =
        Checks::from_parameters(Parameters(&json!({"languages": ["english"]}))).unwrap_err();
    assert!(wrong.to_string().contains("`english`"));
}

#[test]
fn crisis_content_is_kept_and_flagged_by_what_the_question_says() {
    let document = record("I cut myself when he hits me, and I want to die.", ANSWER);
    let flags = run(&document, json!({})).unwrap().metadata.flags;
    assert_eq!(
        flags,
        ["crisis_suicide", "crisis_self_harm", "crisis_abuse"]
    );
    let document = record(
        "How do I choose a therapist?",
        "If you ever think of suicide, please call 988 at once.",
    );
    assert!(run(&document, json!({})).unwrap().metadata.flags.is_empty());
}
