//! Crisis content: questions that a person should read before they are used.
//!
//! The word lists aim at missing little; that they flag too much costs a reader a minute. The answer is not
//! looked at: it names hotlines for many reasons.

use std::sync::LazyLock;

use crate::{
    bias::phrases::{Phrases, lower_words},
    record::ChatRecord,
};

/// A flag and the phrases that raise it.
const FLAGS: [(&str, &str); 4] = [
    (
        "crisis_suicide",
        "suicid*, kill myself, killing myself, end my life, ending my life, take my life, end it all, ending it all, \
         want to die, wanted to die, wish i was dead, wish i were dead, better off dead, better off without me, \
         don't want to live, do not want to live, no reason to live, don't want to be alive, not want to be here anymore, \
         don't want to be here anymore, overdose, overdosed, hang myself, shoot myself, jump off",
    ),
    (
        "crisis_self_harm",
        "self-harm*, self harm, selfharm, self-injur*, cut myself, cutting myself, cuts myself, cuts herself, cuts himself, \
         cutting herself, cutting himself, hurt myself, hurting myself, harm myself, harming myself, burn myself, \
         burning myself, i cut, started cutting, starve myself, starving myself",
    ),
    (
        "crisis_abuse",
        "raped, rape, molest*, sexually abused, sexual abuse, sexually assaulted, sexual assault, beats me, hits me, hit me, \
         punched me, choked me, strangled me, slapped me, physically abusive, physical abuse, domestic violence, \
         threatened to kill, afraid for my life, touches me, touched me inappropriately",
    ),
    (
        "crisis_harm_to_others",
        "kill him, kill her, kill them, kill someone, kill people, hurt him, hurt her, hurt someone, hurt people, homicid*, \
         murder*, want to shoot",
    ),
];

/// The flags of a record, in a fixed order.
pub fn flags_of(record: &ChatRecord) -> Vec<String> {
    static PHRASES: LazyLock<Phrases> =
        LazyLock::new(|| Phrases::new(FLAGS.iter().map(|(_, list)| *list)));
    let mut seen = [false; FLAGS.len()];
    for message in record
        .messages
        .iter()
        .filter(|message| message.role == "user")
    {
        PHRASES.find(&lower_words(&message.content), |label, _| {
            seen[label] = true
        });
    }
    FLAGS
        .iter()
        .zip(seen)
        .filter(|(_, seen)| *seen)
        .map(|((flag, _), _)| (*flag).to_owned())
        .collect()
}
