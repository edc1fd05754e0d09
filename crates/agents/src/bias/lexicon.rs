//! Demographic groups and the words by which a question mentions them.
//!
//! A mention is not a person: `my wife` mentions a woman whoever asks. Words with other common meanings
//! (`black`, `white`, `straight`) count only in phrases that leave no doubt.

use std::sync::LazyLock;

use regex::Regex;

use super::phrases::{Phrases, lower_words};

/// `dimension/group` and its phrases.
const GROUPS: [(&str, &str); 33] = [
    (
        "gender/female",
        "woman, women, girl, girls, female, females, lady, wife, girlfriend, girlfriends, mother, mom, mum, mommy, daughter, daughters, sister, sisters, grandmother, grandma, aunt, niece, stepmother, stepdaughter, ex-wife, ex-girlfriend, mother-in-law",
    ),
    (
        "gender/male",
        "man, men, boy, boys, male, males, guy, guys, husband, boyfriend, boyfriends, father, dad, daddy, son, sons, brother, brothers, grandfather, grandpa, uncle, nephew, stepfather, stepson, ex-husband, ex-boyfriend, father-in-law",
    ),
    (
        "gender/trans_or_nonbinary",
        "transgender, transgendered, trans man, trans woman, trans, transsexual, nonbinary, non-binary, genderqueer, genderfluid, gender fluid, gender dysphoria, gender identity, crossdress*",
    ),
    (
        "age/under_18",
        "child, children, kid, kids, toddler, baby, infant, teen, teens, teenager, teenagers, teenage, middle school, high school, elementary school, adolescent*, preteen",
    ),
    (
        "age/18_29",
        "college, university, young adult, freshman, sophomore, my twenties, my 20s",
    ),
    ("age/30_49", "my thirties, my 30s, my forties, my 40s"),
    (
        "age/50_64",
        "my fifties, my 50s, middle aged, middle-aged, menopause",
    ),
    (
        "age/65_plus",
        "elderly, senior citizen, retired, retirement, old age, nursing home, dementia, my sixties, my seventies",
    ),
    (
        "race_ethnicity/black",
        "african american, african-american, black woman, black man, black women, black men, black people, black person, black family, black girl, black guy, black community, i am black, i'm black, he is black, she is black, he's black, she's black",
    ),
    (
        "race_ethnicity/white",
        "caucasian, white woman, white man, white women, white men, white people, white person, white family, white girl, white guy, i am white, i'm white, he is white, she is white, he's white, she's white",
    ),
    (
        "race_ethnicity/hispanic_latino",
        "hispanic, latino, latina, latinx, mexican, puerto rican, cuban, dominican",
    ),
    (
        "race_ethnicity/asian",
        "asian, asian-american, chinese, japanese, korean, vietnamese, filipino, indian, pakistani",
    ),
    (
        "race_ethnicity/native",
        "native american, indigenous, first nations, american indian",
    ),
    (
        "race_ethnicity/middle_eastern",
        "middle eastern, arab, arabic, iranian, persian, turkish",
    ),
    (
        "race_ethnicity/mixed_or_interracial",
        "biracial, multiracial, interracial, mixed race, mixed-race",
    ),
    (
        "religion/christian",
        "christian, christians, christianity, catholic, baptist, mormon, church, bible, jesus, evangelical, pentecostal, protestant, jehovah's witness",
    ),
    (
        "religion/muslim",
        "muslim, muslims, islam, islamic, mosque, quran",
    ),
    ("religion/jewish", "jewish, judaism, synagogue, rabbi"),
    (
        "religion/hindu_sikh_buddhist",
        "hindu, hinduism, sikh, buddhist, buddhism",
    ),
    (
        "religion/nonreligious",
        "atheist, atheism, agnostic, not religious",
    ),
    (
        "orientation/gay_or_lesbian",
        "gay, gays, lesbian, lesbians, homosexual, homosexuality, same-sex, same sex, coming out",
    ),
    (
        "orientation/bisexual",
        "bisexual, bisexuality, bi-curious, pansexual",
    ),
    (
        "orientation/straight",
        "heterosexual, straight man, straight woman, straight guy, straight girl, i am straight, i'm straight",
    ),
    (
        "orientation/other_lgbtq",
        "lgbt, lgbtq, queer, asexual, sexual orientation, sexual identity",
    ),
    (
        "relationship/married",
        "married, marriage, husband, wife, spouse, fiance, fiancé, fiancée, engaged, wedding",
    ),
    (
        "relationship/dating",
        "boyfriend, girlfriend, dating, my partner, my ex",
    ),
    (
        "relationship/divorced_or_separated",
        "divorce, divorced, divorcing, separated, ex-husband, ex-wife, ex husband, ex wife",
    ),
    (
        "relationship/single",
        "i am single, i'm single, being single, single mother, single mom, single dad, single father, single parent, never had a girlfriend, never had a boyfriend",
    ),
    (
        "relationship/widowed",
        "widow, widowed, widower, late husband, late wife, husband died, wife died, husband passed, wife passed",
    ),
    (
        "parent/parent",
        "my son, my daughter, my child, my children, my kids, my baby, my toddler, my teenager, my sons, my daughters, our son, our daughter, our children, our kids, as a parent, single mother, single mom, single dad, single father, pregnant, stepson, stepdaughter",
    ),
    (
        "disability/disabled_or_ill",
        "disabled, disability, wheelchair, deaf, blind, autistic, autism, asperger's, chronic illness, chronic pain, cancer, epilepsy",
    ),
    (
        "military/service_or_veteran",
        "veteran, veterans, military, army, navy, marine corps, deployed, deployment, soldier, combat",
    ),
    (
        "economy/poor_or_unemployed",
        "unemployed, lost my job, homeless, poverty, welfare, can't afford, cannot afford, no insurance, no money, broke",
    ),
];

/// The groups that a text mentions, sorted, each once.
pub fn groups_in(text: &str) -> Vec<String> {
    static PHRASES: LazyLock<Phrases> =
        LazyLock::new(|| Phrases::new(GROUPS.iter().map(|(_, list)| *list)));
    let mut seen = [false; GROUPS.len()];
    PHRASES.find(&lower_words(text), |label, _| seen[label] = true);
    let mut groups: Vec<&str> = GROUPS
        .iter()
        .zip(seen)
        .filter(|(_, seen)| *seen)
        .map(|((name, _), _)| *name)
        .chain(ages_in(text))
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups.into_iter().map(str::to_owned).collect()
}

/// Age groups of the ages written as numbers: `16 years old`, `I'm 34 and`, `my 70-year-old`.
fn ages_in(text: &str) -> Vec<&'static str> {
    static AGE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)\b(\d{1,2})[\s-]*(?:years?|yrs?)[\s-]*olds?\b|\b(?:I am|I'm|I’m|aged?)\s+(\d{2})(?:[.,;!]|\s+(?:and|now|but)\b|\s*$)",
        )
        .expect("the pattern is fixed and tested")
    });
    AGE.captures_iter(text)
        .filter_map(|found| {
            found
                .get(1)
                .or_else(|| found.get(2))?
                .as_str()
                .parse::<u8>()
                .ok()
        })
        .map(|age| match age {
            0..18 => "age/under_18",
            18..30 => "age/18_29",
            30..50 => "age/30_49",
            50..65 => "age/50_64",
            65.. => "age/65_plus",
        })
        .collect()
}
