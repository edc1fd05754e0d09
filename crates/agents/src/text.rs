//! Words: the one notion of a word that counting, duplicates and names share.

/// The words of a text with their byte ranges: runs of letters and digits, with apostrophes and hyphens inside.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(char::is_alphanumeric)?;
        let mut end = start;
        let mut letters = text[start..].char_indices().peekable();
        while let Some((offset, letter)) = letters.next() {
            let joins = matches!(letter, '\'' | '’' | '-')
                && letters
                    .peek()
                    .is_some_and(|(_, next)| next.is_alphanumeric());
            if !letter.is_alphanumeric() && !joins && !is_mark(letter) {
                break;
            }
            end = start + offset + letter.len_utf8();
        }
        rest = end;
        Some(Word {
            text: &text[start..end],
            start,
            end,
        })
    })
}

/// How many words a text has.
pub fn word_count(text: &str) -> u64 {
    words(text).count() as u64
}

/// Combining marks belong to the letter before them.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// A word and where it stands, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word.
    pub text: &'a str,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

impl Word<'_> {
    /// Begins with a capital letter.
    pub fn is_capitalised(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn apostrophes_and_hyphens_join_only_inside() {
        assert_eq!(
            texts("I'm well-known, 'so' -what? re-"),
            ["I'm", "well-known", "so", "what", "re"]
        );
        assert_eq!(texts("a’b  24/7"), ["a’b", "24", "7"]);
        assert_eq!(texts("— …"), Vec::<&str>::new());
    }

    #[test]
    fn ranges_point_into_the_text_whatever_the_script() {
        let text = "Ströme, 心理 e\u{301}t";
        for word in words(text) {
            assert_eq!(&text[word.start..word.end], word.text);
        }
        assert_eq!(word_count(text), 3);
    }
}
