//! Public emergency and crisis lines, which stay in the text.

use std::sync::LazyLock;

use regex::Regex;

use super::compile;

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

/// Public crisis lines, which stay.
pub fn public_lines(text: &str) -> Vec<(usize, usize)> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        compile(r"(?:\b1[\s.-]?)?(?:\(\d{3}\)|\b\d{3})[\s.-]?[0-9A-Z]{3}[\s.-]?[0-9A-Z]{4}\b")
    });
    LINE.find_iter(text)
        .filter(|found| is_public_line(found.as_str()))
        .map(|found| (found.start(), found.end()))
        .collect()
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
