//! A small sentiment scorer: words of approval and of distress, with negation and emphasis.
//!
//! The score of a text is `(p − n) / (p + n + 2)`, where `p` and `n` are the weights of positive and negative
//! words; the 2 keeps a text with a single such word near 0. A word within three words after a negation
//! counts for the other side at half its weight ("not good" is bad, but less so than "bad"). It is made for
//! comparing many texts, not for judging one.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::phrases::lower_words;

const POSITIVE: &str = "good great better best well happy happier happiness joy joyful love loved loving lovely kind kindness caring care \
    support supportive supported help helpful helps helping hope hopeful hopes strength strong strengths stronger brave bravery courage \
    courageous healthy healthier heal healing healed calm calmer calming peace peaceful safe safety trust trusting trusted comfort \
    comfortable comforting confident confidence growth grow growing success successful succeed improve improved improving improvement \
    positive wonderful amazing excellent beautiful thank thanks grateful gratitude appreciate appreciated appreciation respect respected \
    respectful understand understanding understood accept acceptance accepting compassion compassionate empathy gentle honest honesty \
    free freedom relief relieved relax relaxed relaxing enjoy enjoyable enjoying fun friendly encourage encouraged encouraging proud \
    pride worthy worth valuable valued value resilient resilience recover recovery progress opportunity solution effective easier \
    connected connection closeness warm warmth smile reassure reassuring welcome deserve deserves able normal";

const NEGATIVE: &str = "bad worse worst sad sadness unhappy miserable misery depressed depressing depression anxious anxiety fear fears \
    afraid scared scary terrified panic worry worried worries angry anger rage furious hate hated hatred hurt hurts hurting hurtful pain \
    painful suffer suffering suffered cry crying alone lonely loneliness isolated isolation rejected rejection abandon abandoned \
    abandonment abuse abused abusive abuser violence violent assault trauma traumatic traumatized guilt guilty shame ashamed \
    embarrassed blame blamed worthless hopeless hopelessness helpless weak failure fail failed failing broken damage damaged danger \
    dangerous toxic cruel harsh selfish manipulate manipulative controlling jealous jealousy betray betrayed betrayal cheat cheated \
    cheating lie lied lies lying liar difficult difficulty hard harder struggle struggling struggles stress stressed stressful \
    overwhelmed overwhelming exhausted tired sick illness disorder problem problems conflict fight fights fighting argue arguing \
    argument arguments die died death dead suicide suicidal kill lost loss grief grieving regret wrong negative terrible horrible \
    awful nightmare confused confusing stuck trapped unhealthy unsafe upset upsetting frustrated frustrating frustration";

const NEGATIONS: &str = "not no never none nobody nothing neither nor without hardly barely cannot can't don't doesn't didn't isn't \
    aren't wasn't weren't won't wouldn't shouldn't couldn't haven't hasn't hadn't ain't";

const EMPHASIS: &str =
    "very really extremely so deeply truly incredibly completely totally absolutely highly";

/// Words after a negation that it still turns.
const NEGATION_REACH: usize = 3;

/// Weights in sixths, so that every sum is exact: a plain word, half of it after a negation, one and a half
/// after an emphasis.
const PLAIN: i64 = 6;

struct Lists {
    weight: HashMap<&'static str, i64>,
    negations: HashSet<&'static str>,
    emphasis: HashSet<&'static str>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let side =
        |list: &'static str, sign: i64| list.split_whitespace().map(move |word| (word, sign));
    Lists {
        weight: side(POSITIVE, 1).chain(side(NEGATIVE, -1)).collect(),
        negations: NEGATIONS.split_whitespace().collect(),
        emphasis: EMPHASIS.split_whitespace().collect(),
    }
});

/// The sentiment of a text in thousandths, -1000 to 1000; 0 for a text without such words.
pub fn score_milli(text: &str) -> i64 {
    let (mut positive, mut negative) = (0, 0);
    let mut since_negation = usize::MAX;
    let mut emphasised = false;
    for word in lower_words(text) {
        since_negation = since_negation.saturating_add(1);
        let word = word.as_str();
        if LISTS.negations.contains(word) {
            since_negation = 0;
        } else if let Some(sign) = LISTS.weight.get(word) {
            let negated = since_negation <= NEGATION_REACH;
            let weight = match (negated, emphasised) {
                (true, _) => -sign * PLAIN / 2,
                (false, true) => sign * PLAIN * 3 / 2,
                (false, false) => sign * PLAIN,
            };
            if weight > 0 {
                positive += weight
            } else {
                negative -= weight
            }
        }
        emphasised = LISTS.emphasis.contains(word);
    }
    1000 * (positive - negative) / (positive + negative + 2 * PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn praise_is_positive_and_distress_negative() {
        assert!(score_milli("You are strong and brave, and it will get better.") > 300);
        assert!(score_milli("This is a terrible, painful loss.") < -300);
        assert_eq!(score_milli("The table is made of wood."), 0);
        assert_eq!(score_milli(""), 0);
    }

    #[test]
    fn negation_turns_and_weakens_emphasis_strengthens() {
        assert!(score_milli("not good") < 0);
        assert!(score_milli("not good") > score_milli("bad"));
        assert!(score_milli("you're not worthless") > 0);
        assert!(score_milli("very good") > score_milli("good"));
        assert!(score_milli("never mind, after all it was a good day") > 0);
    }

    #[test]
    fn the_lists_do_not_contradict_each_other() {
        let positive: HashSet<_> = POSITIVE.split_whitespace().collect();
        let both: Vec<_> = NEGATIVE
            .split_whitespace()
            .filter(|word| positive.contains(word))
            .collect();
        assert!(both.is_empty(), "{both:?}");
    }
}
