//! Dates more exact than a year, and ages over 89.

use super::{Pattern, any, pattern};
use crate::pii::Kind;

const MONTH: &str = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)";

/// The patterns.
pub(super) fn patterns() -> Vec<Pattern> {
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
