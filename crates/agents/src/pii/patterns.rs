//! Identifiers with a fixed form, or with a word before them that tells what they are.

use std::{net::Ipv6Addr, ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    Kind, Span,
    lexicon::{NOT_NAMES, RELATIONS},
};

/// Public emergency and crisis lines, digits only. They identify nobody, and an answer that names one must
/// keep it: 911, 988 and 741741 (Crisis Text Line) are too short to match, these are not.
const PUBLIC_LINES: [&str; 8] = [
    "8002738255", // 988 Lifeline, former number
    "8007997233", // National Domestic Violence Hotline
    "8006564673", // RAINN
    "8006624357", // SAMHSA helpline
    "8775658860", // Trans Lifeline
    "8664887386", // Trevor Project
    "8009312237", // eating disorders
    "8004224453", // Childhelp
];

const MONTH: &str = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)";
const STATE: &str = r"(?:AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY)";
/// States whose letters are no word, so that `Well, OK` is not a city.
const SAFE_STATE: &str = r"(?:AK|AZ|AR|CA|CT|DC|FL|GA|IL|IA|KS|KY|MD|MI|MN|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY)";
const CITY: &str = r"[A-Z][a-z]+(?:[ -][A-Z][a-z]+){0,2}";
const STREET: &str = r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Gardens|Mews|Grove|Row|Walk|Place|Pl|Terrace|Ter|Way|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Square|Sq|Trail|Crescent|Close)";

/// A pattern: the group `v` is the identifier, or the whole match without that group.
struct Pattern {
    kind: Kind,
    regex: Regex,
    check: fn(&str) -> bool,
}

fn pattern(kind: Kind, regex: &str, check: fn(&str) -> bool) -> Pattern {
    Pattern {
        kind,
        regex: Regex::new(regex).expect("the pattern is fixed and tested"),
        check,
    }
}

fn any(_: &str) -> bool {
    true
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut patterns = contacts();
    patterns.extend(numbers());
    patterns.extend(dates_and_ages());
    patterns.extend(places());
    patterns
});

fn contacts() -> Vec<Pattern> {
    vec![
        pattern(
            Kind::Email,
            r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}",
            any,
        ),
        pattern(
            Kind::Email,
            r"(?i)[a-z0-9._]+(?:\s*[(\[]dot[)\]]\s*[a-z0-9]+)*\s*(?:[(\[]at[)\]]|\bat\b)\s*[a-z0-9-]+(?:\s*(?:[(\[]dot[)\]]|\bdot\b)\s*[a-z0-9-]+)+",
            any,
        ),
        pattern(
            Kind::Url,
            r#"(?i)\b(?:https?://|ftp://|www\.)[^\s<>"']+"#,
            any,
        ),
        pattern(
            Kind::Url,
            r"\b[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|info|io|co\.uk|org\.uk|ac\.uk|com\.au|org\.au)\b(?:/[^\s<>]*)?",
            any,
        ),
        pattern(
            Kind::Url,
            r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,12}/[^\s<>]+",
            any,
        ),
        pattern(Kind::Phone, r"\(\d{3}\)[\s.-]?\d{3}[\s.-]?\d{4}\b", any),
        pattern(Kind::Phone, r"\b0\d{2,4}[\s-]\d{3,4}[\s-]\d{3,4}\b", any),
        pattern(
            Kind::Phone,
            r"(?i)\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)[\s,.-]+){6,}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b",
            any,
        ),
        pattern(
            Kind::Phone,
            r"(?:\+?\b1[\s.-]?)?(?:\(\d{3}\)\s?|\b\d{3}[\s.-])\d{3}[\s.-]\d{4}\b(?:\s?(?:x|ext\.?)\s?\d{1,6}\b)?",
            any,
        ),
        pattern(Kind::Phone, r"\b\d{3}[.-]\d{4}\b", any),
        pattern(Kind::Phone, r"\b1-8\d\d-[A-Z0-9]{3}-?[A-Z0-9]{4}\b", any),
        pattern(
            Kind::Phone,
            r"\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,5}",
            |text| digits(text).len() >= 8,
        ),
        pattern(
            Kind::Phone,
            r"(?i:\b(?:phone|call|cell|mobile|tel|text|fax|number|whatsapp|ring|dial)\b)[^\d\n]{0,25}(?P<v>\d{3}\s\d{4}|\d{10}|\d{11})\b",
            any,
        ),
        pattern(Kind::Handle, r"\bu/[A-Za-z0-9_-]{3,}", any),
        pattern(
            Kind::Handle,
            r"(?:^|[\s(,:;])(?P<v>@[A-Za-z0-9_](?:[A-Za-z0-9_.]*[A-Za-z0-9_]))",
            any,
        ),
    ]
}

fn numbers() -> Vec<Pattern> {
    // A number after a word that tells its kind, such as `account number is 0094417785`.
    const SAID: &str = r"(?:\s*(?:number|numbers|no\.?|num\.?|id|#))?(?:\s*(?:is|was|are|reading|ending in|:|,|=))?\s*#?";
    let after = |kind, word: &str, value: &str, check| {
        pattern(
            kind,
            &format!(r"(?i:\b{word}{SAID})(?P<v>{value})\b"),
            check,
        )
    };
    vec![
        pattern(Kind::Ssn, r"\b\d{3}-\d{2}-\d{4}\b", any),
        after(
            Kind::Ssn,
            r"(?:ssn|social security)",
            r"\d{3}[ -]?\d{2}[ -]?\d{4}",
            any,
        ),
        pattern(Kind::Ip, r"\b\d{1,3}(?:\.\d{1,3}){3}\b", any),
        pattern(Kind::Ip, r"(?i)\b[0-9a-f]{1,4}:[0-9a-f:]{2,34}", |text| {
            text.parse::<Ipv6Addr>().is_ok()
        }),
        pattern(
            Kind::Ssn,
            r"(?i:\blast (?:4|four)\b[^\d\n]{0,30}\bsocial\b[^\d\n]{0,20})(?P<v>\d{4})\b",
            any,
        ),
        after(
            Kind::Mrn,
            r"(?:mrn|medical record|record|patient (?:id|number|no\.?)|(?:chart|file|case) (?:number|no\.?|#)|health record)",
            r"[A-Za-z0-9][A-Za-z0-9-]*",
            |text| digits(text).len() >= 4,
        ),
        pattern(Kind::Account, r"\b\d(?:[ -]?\d){12,18}\b", is_card_number),
        // Nine digits in a row and more are somebody's number, whatever they count.
        pattern(Kind::Account, r"\b\d{9,19}\b", any),
        pattern(
            Kind::Account,
            r"(?i:\b(?:account|acct|card)\b[^\d\n]{0,12}\bending (?:in|with)\s*)(?P<v>\d{4})\b",
            any,
        ),
        pattern(
            Kind::Account,
            r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?\b",
            |text| digits(text).len() >= 8,
        ),
        after(
            Kind::Account,
            r"(?:account|acct|policy|member|membership|insurance|beneficiary|subscriber|routing|iban|group)(?:\s+(?:member|policy))?",
            r"[A-Z0-9][A-Z0-9-]*",
            |text| digits(text).len() >= 5,
        ),
        after(
            Kind::License,
            r"(?:licen[cs]e|certificate|registration|passport)",
            r"[A-Z0-9][A-Z0-9-]*",
            |text| digits(text).len() >= 4,
        ),
        pattern(Kind::Vehicle, r"\b[A-HJ-NPR-Z0-9]{17}\b", |text| {
            digits(text).len() >= 3 && text.bytes().any(|byte| byte.is_ascii_uppercase())
        }),
        after(
            Kind::Vehicle,
            r"(?:licen[cs]e |number |registration )?plates?",
            r"[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5}",
            |text| !digits(text).is_empty(),
        ),
        after(
            Kind::Device,
            r"(?:serial|imei|device id|udi|s/n)",
            r"[A-Z0-9][A-Z0-9-]*",
            |text| digits(text).len() >= 4,
        ),
    ]
}

fn dates_and_ages() -> Vec<Pattern> {
    const YEAR: &str = r"(?:19|20)\d\d";
    const HOLIDAY: &str = r"(?:Christmas(?:\s+(?:Eve|Day))?|New Year['’]s(?:\s+(?:Eve|Day))?|Valentine['’]s Day|Thanksgiving|Easter(?:\s+Sunday)?|Halloween|Mother['’]s Day|Father['’]s Day|(?:the )?(?:4th|Fourth) of July)";
    const DAY: &str = r"\d{1,2}(?:st|nd|rd|th)?";
    const OVER_89: &str = r"(?:9\d|1[0-2]\d)";
    vec![
        pattern(
            Kind::Date,
            r"\b\d{1,2}[/-]\d{1,2}[/-](?:\d{4}|\d{2})\b",
            any,
        ),
        pattern(Kind::Date, r"\b\d{1,2}\.\d{1,2}\.(?:19|20)\d\d\b", any),
        pattern(
            Kind::Date,
            &format!(r"\b{YEAR}[-/]\d{{1,2}}[-/]\d{{1,2}}\b"),
            any,
        ),
        pattern(
            Kind::Date,
            &format!(r"\b{MONTH}\s+(?:the\s+)?{DAY}\b(?:,?\s+{YEAR}\b)?"),
            any,
        ),
        pattern(
            Kind::Date,
            &format!(r"\b{DAY}\s+(?:of\s+)?{MONTH}\b(?:,?\s+{YEAR}\b)?"),
            any,
        ),
        pattern(
            Kind::Date,
            &format!(r"\b{MONTH},?\s+(?:of\s+)?{YEAR}\b"),
            any,
        ),
        pattern(
            Kind::Date,
            &format!(
                r"(?i:\b(?:in|since|last|this|next|until|by|during|of|every)\s+)(?P<v>{MONTH})\b"
            ),
            any,
        ),
        pattern(
            Kind::Date,
            &format!(r"(?i:\b(?:early|mid|late)[\s-]){MONTH}\b(?:,?\s+{YEAR}\b)?"),
            any,
        ),
        pattern(
            Kind::Date,
            r"\b[Oo]n the (?P<v>\d{1,2}(?:st|nd|rd|th))(?:[.,;!?]|\s+(?:and|but|when|he|she|we|they|I)\b|\s*$)",
            any,
        ),
        pattern(
            Kind::Date,
            &format!(r"\b{HOLIDAY}(?:\s+of)?,?\s+{YEAR}\b"),
            any,
        ),
        pattern(
            Kind::Date,
            &format!(r"\b(?:[Oo]n|[Ll]ast|[Tt]his)\s+(?P<v>{HOLIDAY})"),
            any,
        ),
        pattern(
            Kind::Age,
            &format!(r"\b(?P<v>{OVER_89})[\s-]*(?:years?|yrs?|yr|y/?o)[\s-]*(?:old|of age)\b"),
            any,
        ),
        pattern(
            Kind::Age,
            &format!(r"(?i:\b(?:aged?|turned|turning|turns)\s+)(?P<v>{OVER_89})\b"),
            any,
        ),
        pattern(
            Kind::Age,
            &format!(
                r"(?i:\b(?:I am|I'm|he is|he's|she is|she's|who is|who's|he was|she was)\s+)(?P<v>{OVER_89})(?:[.,;!?]|\s+(?:and|but)\b|\s*$)"
            ),
            any,
        ),
        pattern(
            Kind::Age,
            &format!(r"\b(?P<v>{OVER_89}(?:st|nd|rd|th))\s+(?i:birthday)\b"),
            any,
        ),
        pattern(
            Kind::Age,
            r"(?i)\b(?P<v>ninety(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?|a hundred)[\s-]+(?:years?|yrs?)[\s-]+old\b",
            any,
        ),
        pattern(
            Kind::Age,
            r"(?i:\b(?:aged?|turned|turning|turns)\s+)(?P<v>(?i:ninety)(?:[\s-][a-z]+)?)\b",
            any,
        ),
        pattern(
            Kind::Age,
            &format!(
                r"(?i:\b(?:grand\w+|father|mother|dad|mom|mum|uncle|aunt|husband|wife|neighbou?r)\s*\()(?P<v>{OVER_89})\)"
            ),
            any,
        ),
        pattern(Kind::Age, &format!(r"\b[Aa]t\s+(?P<v>{OVER_89}),"), any),
    ]
}

fn places() -> Vec<Pattern> {
    let tail =
        format!(r"(?:,\s*{CITY},?\s*(?:{STATE}\b(?:\s*\d{{5}}(?:-\d{{4}})?\b)?|\d{{5}}\b))?");
    let flat = r"(?:,?\s*(?:Apt|Apartment|Suite|Ste|Unit|Flat|#)\.?\s*[A-Za-z0-9-]+)?";
    vec![
        pattern(
            Kind::Address,
            &format!(
                r"\b\d{{1,6}}\s(?:[NSEW]\.?\s|(?:North|South|East|West|NE|NW|SE|SW)\s)?(?:(?:[A-Z][A-Za-z'.-]*|\d{{1,3}}(?:st|nd|rd|th))\s){{1,4}}{STREET}\b\.?{flat}{tail}"
            ),
            any,
        ),
        pattern(
            Kind::Address,
            &format!(r"(?i:\bp\.?\s?o\.?\s?box)\s*\d+{tail}"),
            any,
        ),
        pattern(
            Kind::Address,
            &format!(r"\b{CITY},?\s+{STATE}\s+\d{{5}}(?:-\d{{4}})?\b"),
            any,
        ),
        pattern(Kind::Address, r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b", any),
        pattern(
            Kind::Address,
            &format!(r"(?i:\brr)\s*\d+\s+(?i:box)\s*\d+(?:,\s*{CITY},?\s+{STATE}\s+\d{{5}}\b)?"),
            any,
        ),
        pattern(
            Kind::Address,
            r"\b\d{1,4},?\s(?:bis\s)?(?:[Rr]ue|[Cc]alle|[Vv]ia|[Aa]venida|[Pp]laza)(?:\s(?:de|des|du|la|las|los|del|della))*(?:\s[A-Z][\p{L}'-]+){1,3}",
            any,
        ),
        pattern(
            Kind::Address,
            r"\bcorner of (?P<v>(?:[A-Z]\w+|\d+(?:st|nd|rd|th)) and (?:[A-Z]\w+|\d+(?:st|nd|rd|th)))",
            any,
        ),
        pattern(
            Kind::Address,
            r"(?i:\bzip(?:\s*code)?\s*(?:is|:)?\s*)(?P<v>\d{5}(?:-\d{4})?)\b",
            any,
        ),
        pattern(Kind::Location, &format!(r"\b{CITY},\s*{SAFE_STATE}\b"), any),
        pattern(
            Kind::Location,
            &format!(r"\b(?:in|from|near|to)\s+(?P<v>{CITY},\s*{STATE})\b"),
            any,
        ),
        pattern(
            Kind::Location,
            &format!(
                r"\b(?:I'm|I’m|I am|he's|she's|he is|she is|we are|we're|they are|originally|come|comes|came)\s+(?:originally\s+)?from\s+(?P<v>{CITY})"
            ),
            is_city,
        ),
        pattern(
            Kind::Location,
            r"\b(?:[A-Z][a-z]+(?:['’]s)?\s){1,3}(?:Hospital|Medical Center)\b(?:\s+in\s+[A-Z][a-z]+)?",
            any,
        ),
        pattern(
            Kind::Location,
            &format!(
                r"\b(?:live|lives|lived|living|moved|moving|move|work|works|worked|working|based|born|raised|grew\s+up|reside|residing|stay|stayed|staying|met|stationed|located)\s+(?:here\s+|back\s+|out\s+)?(?:in|to|from|near|at|outside)\s+(?P<v>{CITY})"
            ),
            is_city,
        ),
    ]
}

/// Identifiers with a fixed form, in no particular order, possibly overlapping.
pub fn find(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for Pattern { kind, regex, check } in PATTERNS.iter() {
        if regex.captures_len() == 1 {
            for found in regex.find_iter(text) {
                push(text, *kind, found.range(), *check, &mut spans);
            }
            continue;
        }
        for found in regex.captures_iter(text) {
            if let Some(value) = found.name("v") {
                push(text, *kind, value.range(), *check, &mut spans);
            }
        }
    }
    spans
}

fn push(
    text: &str,
    kind: Kind,
    range: Range<usize>,
    check: fn(&str) -> bool,
    spans: &mut Vec<Span>,
) {
    let found = &text[range.clone()];
    // The full stop of a sentence is no part of an address or a link.
    let trimmed = found.trim_end_matches([
        '.', ',', ';', ':', '!', '?', ')', ']', '}', '"', '\'', '…', ' ',
    ]);
    let (start, end) = (range.start, range.start + trimmed.len());
    if start < end && check(trimmed) {
        spans.push(Span { start, end, kind });
    }
}

/// Public crisis lines, which stay.
pub fn public_lines(text: &str) -> Vec<(usize, usize)> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:\b1[\s.-]?)?(?:\(\d{3}\)|\b\d{3})[\s.-]?[0-9A-Z]{3}[\s.-]?[0-9A-Z]{4}\b")
            .expect("the pattern is fixed and tested")
    });
    LINE.find_iter(text)
        .filter(|found| is_public_line(found.as_str()))
        .map(|found| (found.start(), found.end()))
        .collect()
}

/// The placeholders that stand in a text already.
pub fn placeholders(text: &str) -> Vec<(usize, usize)> {
    static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
        let kinds = Kind::ALL.map(Kind::as_str).join("|");
        Regex::new(&format!(r"\[(?:{kinds})\]")).expect("the pattern is fixed and tested")
    });
    PLACEHOLDER
        .find_iter(text)
        .map(|found| (found.start(), found.end()))
        .collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_public_line(text: &str) -> bool {
    // Letters as on a phone's keys: 1-800-273-TALK is 1-800-273-8255.
    const KEYS: [char; 26] = [
        '2', '2', '2', '3', '3', '3', '4', '4', '4', '5', '5', '5', '6', '6', '6', '7', '7', '7',
        '7', '8', '8', '8', '9', '9', '9', '9',
    ];
    let number: String = text
        .chars()
        .filter_map(|letter| match letter {
            'A'..='Z' => Some(KEYS[letter as usize - 'A' as usize]),
            _ => letter.is_ascii_digit().then_some(letter),
        })
        .collect();
    PUBLIC_LINES.contains(&number.strip_prefix('1').unwrap_or(&number))
}

/// The check digit of payment cards (ISO/IEC 7812, Luhn).
fn is_card_number(text: &str) -> bool {
    let sum: u32 = text
        .bytes()
        .rev()
        .filter(u8::is_ascii_digit)
        .enumerate()
        .map(|(position, digit)| {
            let value = u32::from(digit - b'0') * if position % 2 == 1 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Not a country, a state, a faith, a relation: those are no identifiers.
fn is_city(text: &str) -> bool {
    let first = text
        .split([' ', '-'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    !NOT_NAMES.contains(first.as_str()) && !RELATIONS.contains(first.as_str())
}
