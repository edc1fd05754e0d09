use proptest::prelude::*;

use super::*;

fn redacted(text: &str) -> String {
    redact(text, &People::none()).text
}

#[test]
fn placeholders_keep_the_sentence_readable_and_are_counted() {
    let result = redact(
        "I'm at ada@example.com or 555-0134, born on 3 May 1990.",
        &People::none(),
    );
    assert_eq!(result.text, "I'm at [EMAIL] or [PHONE], born on [DATE].");
    assert_eq!(result.counts[&Kind::Email], 1);
    assert_eq!(result.counts.len(), 3);
}

#[test]
fn redacting_twice_changes_nothing() {
    let once = redacted("Dr. Holloway, 12 Maple Street, MRN: 5538201, see https://example.com/x.");
    assert_eq!(once, "Dr. [NAME], [ADDRESS], MRN: [MRN], see [URL].");
    assert_eq!(redacted(&once), once);
}

#[test]
fn public_crisis_lines_stay() {
    for text in [
        "Please call 988 or 911 now.",
        "Text HOME to 741741.",
        "Call 1-800-273-TALK (8255).",
        "Call 1-800-273-8255 or 1-800-799-7233 at any hour.",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn names_from_the_datasets_columns_are_removed_wherever_they_stand() {
    let people = People::of(["Mark Zimmerfake, LCSW"]);
    let text = redact(
        "Thanks! mark zimmerfake is right. Zimmerfake's view helps. I will mark it.",
        &people,
    )
    .text;
    assert_eq!(
        text,
        "Thanks! [NAME] is right. [NAME]'s view helps. I will mark it."
    );
}

#[test]
fn a_hostile_text_takes_linear_time() {
    let text = "a@example.com ".repeat(40_000);
    assert_eq!(redact(&text, &People::none()).counts[&Kind::Email], 40_000);
}

proptest! {
    /// A listed whole name is never in the output, whatever stands around it.
    #[test]
    fn a_listed_name_is_never_emitted_again(
        before in "[A-Za-z0-9 ,.!?'@/:-]{0,30}",
        after in "[A-Za-z0-9 ,.!?'@/:-]{0,30}",
    ) {
        let people = People::of(["Quillon Vexbury"]);
        let text = format!("{before} Quillon Vexbury {after}");
        let out = redact(&text, &people).text;
        prop_assert!(!out.to_lowercase().contains("vexbury"), "{}", out);
    }

    /// Any text at all: the output is valid, finding again in it finds nothing of an exact form.
    #[test]
    fn any_text_is_survived(text in "\\PC{0,80}") {
        let out = redact(&text, &People::none());
        let left = find(&out.text, &People::none());
        prop_assert!(left.iter().all(|span| span.kind != Kind::Email), "{}", out.text);
    }
}
