use proptest::prelude::*;

use super::{measures::measure, *};
use crate::record::BiasNotes;

fn notes(groups: &[&str], sentiment_milli: i64, advice: &[&str]) -> BiasNotes {
    let owned = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
    BiasNotes {
        groups: owned(groups),
        sentiment_milli,
        advice: owned(advice),
    }
}

#[test]
fn groups_are_seen_by_words_phrases_and_ages() {
    assert_eq!(
        lexicon::groups_in("I'm 16 and my girlfriend is a Black woman."),
        [
            "age/under_18",
            "gender/female",
            "race_ethnicity/black",
            "relationship/dating"
        ],
    );
    assert_eq!(
        lexicon::groups_in("My 70-year-old uncle is deaf"),
        ["age/65_plus", "disability/disabled_or_ill", "gender/male"]
    );
    assert_eq!(
        lexicon::groups_in("It was a black and white film, straight ahead."),
        Vec::<String>::new()
    );
    assert_eq!(
        lexicon::groups_in("I waited 45 minutes"),
        Vec::<String>::new()
    );
}

#[test]
fn kinds_of_advice_are_seen_each_once() {
    let answer =
        "I'm so sorry to hear that. You should see a therapist; therapy helps. Try meditating.";
    assert_eq!(
        advice::kinds_in(answer),
        ["therapy_referral", "self_help", "directive", "validation"]
    );
    assert_eq!(
        advice::kinds_in("Nothing of the kind."),
        Vec::<String>::new()
    );
}

#[test]
fn a_true_gap_is_found_and_small_groups_are_flagged() {
    let mut partial = BiasPartial::default();
    for number in 0..400 {
        let female = number % 4 == 0;
        let noise = i64::from(number % 7) * 20 - 60;
        let groups: &[&str] = match number {
            0..5 => &["gender/female", "religion/jewish"],
            _ if female => &["gender/female"],
            _ => &["gender/male"],
        };
        let advice: &[&str] = if female { &["directive"] } else { &[] };
        partial.add(&notes(
            groups,
            if female { 100 } else { 300 } + noise,
            advice,
        ));
    }
    let report = measure(&partial);
    let female = report
        .groups
        .iter()
        .find(|group| group.group == "female")
        .unwrap();
    let gap = female.sentiment_gap.unwrap();
    assert!(gap.high < 0.0 && gap.low > -0.3, "{gap:?}");
    assert!(female.advice_gaps["directive"].low > 0.5);
    assert!(!female.small);
    let jewish = report
        .groups
        .iter()
        .find(|group| group.group == "jewish")
        .unwrap();
    assert!(jewish.small);
    assert_eq!(report.intervals.total, 4, "small groups are not counted");
}

proptest! {
    /// However the records are cut into chunks, the measures are the same to the last bit.
    #[test]
    fn chunks_add_up_exactly(
        records in prop::collection::vec((0usize..4, -1000i64..=1000, 0usize..3), 1..60),
        cut in 0usize..60,
    ) {
        let groups = [&["gender/female"][..], &["gender/male"], &["gender/female", "age/18_29"], &[]];
        let advice = [&["directive"][..], &["directive", "validation"], &[]];
        let all: Vec<_> = records.iter().map(|(group, score, kind)| notes(groups[*group], *score, advice[*kind])).collect();
        let tally = |part: &[BiasNotes]| {
            let mut partial = BiasPartial::default();
            part.iter().for_each(|record| partial.add(record));
            partial
        };
        let (front, back) = all.split_at(cut.min(all.len()));
        let mut merged = tally(back);
        merged.merge(&tally(front));
        prop_assert_eq!(&merged, &tally(&all));
        prop_assert_eq!(
            serde_json::to_string(&measure(&merged)).unwrap(),
            serde_json::to_string(&measure(&tally(&all))).unwrap()
        );
    }
}
