//! The word lists behind name detection, compiled in.

use std::{collections::HashSet, sync::LazyLock};

type Words = LazyLock<HashSet<&'static str>>;

fn words(text: &'static str) -> HashSet<&'static str> {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}

/// Given names that are seldom anything else.
pub static GIVEN: Words = LazyLock::new(|| words(include_str!("../../lexicons/given_names.txt")));
/// Given names that are also words, months or places.
pub static AMBIGUOUS: Words = LazyLock::new(|| words(include_str!("../../lexicons/ambiguous_names.txt")));
/// Family names that are seldom anything else.
pub static SURNAMES: Words = LazyLock::new(|| words(include_str!("../../lexicons/surnames.txt")));
/// Capitalised words that are no names of persons.
pub static NOT_NAMES: Words = LazyLock::new(|| words(include_str!("../../lexicons/not_names.txt")));

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

/// Titles: what follows them with a capital is a name.
pub static TITLES: Words =
    LazyLock::new(|| words("dr mr mrs ms miss mx prof professor rev reverend pastor sir doctor judge officer"));
