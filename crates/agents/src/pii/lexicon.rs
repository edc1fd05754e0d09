//! The word lists behind name detection, compiled in.

use std::{collections::HashSet, sync::LazyLock};

type Words = LazyLock<HashSet<&'static str>>;

fn words(text: &'static str) -> HashSet<&'static str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
}

/// Given names that are seldom anything else.
pub static GIVEN: Words = LazyLock::new(|| words(include_str!("../../lexicons/given_names.txt")));
/// Given names that are also words, months or places.
pub static AMBIGUOUS: Words =
    LazyLock::new(|| words(include_str!("../../lexicons/ambiguous_names.txt")));
/// Family names that are seldom anything else.
pub static SURNAMES: Words = LazyLock::new(|| words(include_str!("../../lexicons/surnames.txt")));
/// Capitalised words that are no names of persons.
pub static NOT_NAMES: Words = LazyLock::new(|| words(include_str!("../../lexicons/not_names.txt")));

/// Given names that are words when written in lower case.
pub static LOWER_WORDS: Words =
    LazyLock::new(|| words(include_str!("../../lexicons/lower_words.txt")));
/// Cities, of one to three words.
pub static CITIES: Words = LazyLock::new(|| {
    include_str!("../../lexicons/cities.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect()
});
/// Family names that stand for a school of thought on their own, and for a person after a given name.
pub static FOUNDERS: Words = LazyLock::new(|| words("gottman freud jung maslow rogers"));
/// What follows the name in the name of a thing: `the Baker Act`, `Ted Talks`.
pub static EPONYMS: Words = LazyLock::new(|| {
    words(
        "act project program programme talk talks foundation institute syndrome disease method scale test law effect prayer wort",
    )
});

/// Words for somebody close: what follows them with a capital is a name.
pub static RELATIONS: Words = LazyLock::new(|| {
    words(
        "husband wife boyfriend girlfriend bf gf fiance fiancé fiancée fiancee partner spouse ex ex-husband ex-wife \
         ex-boyfriend ex-girlfriend friend bestfriend son daughter baby child kid stepson stepdaughter stepfather \
         stepmother stepdad stepmom brother sister twin cousin nephew niece uncle aunt mother father mom mum dad \
         grandmother grandfather grandma grandpa boss manager coworker colleague roommate flatmate neighbor neighbour \
         therapist counselor counsellor psychiatrist psychologist doctor nurse teacher coach pastor classmate lover \
         crush mother-in-law father-in-law sister-in-law brother-in-law dog cat",
    )
});

/// Titles: with a capital, what follows them with a capital is a name.
pub static TITLES: Words = LazyLock::new(|| {
    words(
        "miss mx professor reverend pastor sir doctor judge officer detective sergeant nurse coach uncle aunt auntie grandma \
             grandpa sister brother father coach",
    )
});
/// Titles that are nothing else, also in lower case.
pub static SHORT_TITLES: Words = LazyLock::new(|| words("dr drs mr mrs ms prof rev"));
