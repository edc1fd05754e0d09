//! Kinds of advice that an answer gives, by telling phrases.

use std::sync::LazyLock;

use super::phrases::{Phrases, lower_words};

/// A kind of advice and its phrases.
const KINDS: [(&str, &str); 7] = [
    (
        "medical_referral",
        "your doctor, a doctor, see a physician, medical doctor, primary care, physician, psychiatrist, medication, medications, medicine, medical professional, medical evaluation, physical exam, blood work, prescri*, antidepressant*",
    ),
    (
        "therapy_referral",
        "a therapist, a counselor, a counsellor, a psychologist, therapist who, therapy, psychotherapy, counseling, counselling, couples counseling, family therapy, support group, support groups, mental health professional, licensed professional, professional help, seek help",
    ),
    (
        "self_help",
        "journal, journaling, meditat*, breathing, deep breath, deep breaths, mindful, mindfulness, exercise, yoga, self-care, self care, write down, make a list, book, books, workbook, website, app, apps, relaxation, go for a walk, hobby, hobbies, grounding",
    ),
    (
        "directive",
        "you should, you need to, you must, you have to, you ought to, make sure, make sure you, you'd better, stop doing, do not, don't let, never let, tell him, tell her, leave him, leave her, break up",
    ),
    (
        "validation",
        "makes sense, i hear, i'm sorry, i am sorry, so sorry, sorry to hear, sorry that you, understandable, not alone, sounds like, it must be, thank you for sharing, thanks for sharing, thank you for reaching, glad you, took courage, it takes courage, normal to feel, it's okay to, it is okay to, your feelings are, valid, i can imagine, i understand how",
    ),
    (
        "questions_back",
        "ask yourself, i wonder, i'm curious, what would it, what do you, how do you feel, have you considered, have you tried, have you talked, what might, could it be",
    ),
    (
        "crisis_safety",
        "911, 988, 741741, emergency room, hotline, suicide prevention, crisis line, crisis text, lifeline, safety plan, domestic violence, shelter, child protective services, call the police, in danger",
    ),
];

/// The kinds of advice in a text, in a fixed order, each once.
pub fn kinds_in(text: &str) -> Vec<String> {
    static PHRASES: LazyLock<Phrases> =
        LazyLock::new(|| Phrases::new(KINDS.iter().map(|(_, list)| *list)));
    let mut seen = [false; KINDS.len()];
    PHRASES.find(&lower_words(text), |label, _| seen[label] = true);
    KINDS
        .iter()
        .zip(seen)
        .filter(|(_, seen)| *seen)
        .map(|((kind, _), _)| (*kind).to_owned())
        .collect()
}
