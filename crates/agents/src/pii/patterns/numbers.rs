//! Numbers of persons, accounts, vehicles, devices.

use std::net::Ipv6Addr;

use super::{Pattern, any, digits, pattern};
use crate::pii::Kind;

/// The patterns.
pub(super) fn patterns() -> Vec<Pattern> {
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
