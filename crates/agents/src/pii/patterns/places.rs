//! Postal addresses and places below a state.

use super::{Pattern, any, pattern};
use crate::pii::{
    Kind,
    lexicon::{NOT_NAMES, RELATIONS},
};

const STATE: &str = r"(?:AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY)";
/// States whose letters are no word, so that `Well, OK` is not a city.
const SAFE_STATE: &str = r"(?:AK|AZ|AR|CA|CT|DC|FL|GA|IL|IA|KS|KY|MD|MI|MN|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY)";
const CITY: &str = r"[A-Z][a-z]+(?:[ -][A-Z][a-z]+){0,2}";
const STREET: &str = r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Gardens|Mews|Grove|Row|Walk|Place|Pl|Terrace|Ter|Way|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Square|Sq|Trail|Crescent|Close)";

/// The patterns.
pub(super) fn patterns() -> Vec<Pattern> {
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

/// Not a country, a state, a faith, a relation: those are no identifiers.
fn is_city(text: &str) -> bool {
    let first = text
        .split([' ', '-'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    !NOT_NAMES.contains(first.as_str()) && !RELATIONS.contains(first.as_str())
}
