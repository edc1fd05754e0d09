//! How long texts are: in characters (Unicode scalar values), as JSON Schema's `maxLength` counts them, here as at the
//! edge. What fits there must fit here, in any script.

/// How many characters `text` has, when they are more than `max`.
pub fn chars_beyond(text: &str, max: usize) -> Option<usize> {
    // Bytes bound characters from above, so most texts are never counted.
    if text.len() <= max {
        return None;
    }
    let chars = text.chars().count();
    (chars > max).then_some(chars)
}

/// What is wrong with a text that must have something in it and at most `max` characters.
pub fn bad_title(text: &str, max: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some(format!(
            "is empty or blank; must have 1 to {max} characters"
        ));
    }
    bad_text(text, max)
}

/// What is wrong with a text that may have at most `max` characters.
pub fn bad_text(text: &str, max: usize) -> Option<String> {
    chars_beyond(text, max).map(|chars| format!("has {chars} characters; at most {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_long_in_every_script() {
        assert_eq!(chars_beyond("日本語", 3), None);
        assert_eq!(chars_beyond("日本語", 2), Some(3));
        assert_eq!(bad_title("Übergröße", 9), None);
        assert!(bad_title(" \t", 9).is_some());
        assert_eq!(bad_text("", 0), None);
    }
}
