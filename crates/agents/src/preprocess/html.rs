//! HTML fragments to plain text: paragraphs, lists and links become lines, markup goes away.
//!
//! Answers are fragments from editors, mail programs and word processors: unclosed tags, conditional
//! comments, `<o:p>`, inline styles. A tokenizer is enough for them; a full tree builder would cost a large
//! dependency and give the same text. Text that merely contains `<` (`I <3 you`, `a < b`) stays as it is.

/// Elements whose content is no text.
const HIDDEN: [&str; 9] = [
    "script", "style", "head", "xml", "title", "template", "noscript", "svg", "object",
];

/// Elements that stand on lines of their own, with an empty line around them.
const PARAGRAPHS: [&str; 14] = [
    "p",
    "ul",
    "ol",
    "dl",
    "blockquote",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "hr",
];

/// Elements that begin a new line.
const LINES: [&str; 12] = [
    "div", "br", "tr", "dt", "dd", "section", "article", "header", "footer", "figure", "main",
    "form",
];

/// The plain text of a fragment. Entities are resolved; white space is as in the source, so normalise after.
pub fn to_text(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push(&rest[..open]);
        rest = &rest[open..];
        match markup(rest) {
            Some((Markup::Ignored, length)) => rest = &rest[length..],
            Some((Markup::Tag { name, closing }, length)) => {
                rest = &rest[length..];
                if !closing && HIDDEN.contains(&name.as_str()) {
                    rest = skip_hidden(rest, &name);
                }
                text.tag(&name, closing);
            }
            None => {
                text.push("<");
                rest = &rest[1..];
            }
        }
    }
    text.push(rest);
    text.out
}

enum Markup {
    /// A comment, a declaration, a processing instruction.
    Ignored,
    Tag {
        name: String,
        closing: bool,
    },
}

/// The markup at the beginning of `text` (which begins with `<`) and its length, if it is markup.
fn markup(text: &str) -> Option<(Markup, usize)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        let length = comment.find("-->").map_or(text.len(), |end| 4 + end + 3);
        return Some((Markup::Ignored, length));
    }
    if text.starts_with("<!") || text.starts_with("<?") {
        return text.find('>').map(|end| (Markup::Ignored, end + 1));
    }
    let closing = text.starts_with("</");
    let name_start = if closing { 2 } else { 1 };
    let name_length = text[name_start..]
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, ':' | '-')))?;
    let name = &text[name_start..name_start + name_length];
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return None;
    }
    let after = name_start + name_length;
    let begins_attributes = text[after..]
        .starts_with(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/'));
    if !begins_attributes {
        return None;
    }
    let length = tag_end(&text[after..])? + after;
    let name = name.to_ascii_lowercase();
    Some((Markup::Tag { name, closing }, length))
}

/// The length up to and including the `>` that ends a tag, which may stand in a quoted attribute before.
fn tag_end(attributes: &str) -> Option<usize> {
    let mut quote = None;
    let mut previous = ' ';
    for (offset, letter) in attributes.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter == '>' => return Some(offset + 1),
            None if matches!(letter, '"' | '\'') && previous == '=' => quote = Some(letter),
            // Another tag begins: this one was no tag.
            None if letter == '<' => return None,
            None => {}
        }
        if !letter.is_whitespace() {
            previous = letter;
        }
    }
    // A quote that never closes: end the tag at the first `>`, as browsers of old did.
    quote.and_then(|_| attributes.find('>').map(|end| end + 1))
}

/// What follows the end tag of a hidden element; nothing when it never ends.
fn skip_hidden<'a>(text: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(found) = text[from..].find("</") {
        let start = from + found + 2;
        let matches = text
            .get(start..start + name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        if matches {
            let end = text[start..]
                .find('>')
                .map_or(text.len(), |end| start + end + 1);
            return &text[end..];
        }
        from = start;
    }
    ""
}

#[derive(Default)]
struct Text {
    out: String,
    /// Numbers of the open ordered lists; nothing for an unordered one.
    lists: Vec<Option<u32>>,
}

impl Text {
    fn push(&mut self, raw: &str) {
        html_escape::decode_html_entities_to_string(raw, &mut self.out);
    }

    fn tag(&mut self, name: &str, closing: bool) {
        match (name, closing) {
            ("li", false) => {
                self.line();
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        let label = format!("{number}. ");
                        self.out.push_str(&label);
                    }
                    Some(None) | None => self.out.push_str("- "),
                }
            }
            ("ol" | "ul", _) => {
                self.paragraph();
                if closing {
                    self.lists.pop();
                } else if self.lists.len() < LIST_DEPTH_MAX {
                    self.lists.push((name == "ol").then_some(0));
                }
            }
            ("td" | "th", true) => self.out.push(' '),
            _ if PARAGRAPHS.contains(&name) => self.paragraph(),
            _ if LINES.contains(&name) => self.line(),
            _ => {}
        }
    }

    fn line(&mut self) {
        self.out.push('\n');
    }

    fn paragraph(&mut self) {
        self.out.push_str("\n\n");
    }
}

/// Lists within lists that are numbered on their own; deeper ones continue the numbers of the last.
const LIST_DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::normalise::normalise;

    fn text(html: &str) -> String {
        normalise(&to_text(html))
    }

    #[test]
    fn paragraphs_breaks_and_lists_become_lines() {
        let html =
            "<p>One<br>two</p><p>Try:</p><ul><li>a</li><li>b</li></ul><ol><li>x<li>y</ol>end";
        assert_eq!(
            text(html),
            "One\ntwo\n\nTry:\n\n- a\n- b\n\n1. x\n2. y\n\nend"
        );
    }

    #[test]
    fn entities_are_resolved_once() {
        assert_eq!(
            text("a&nbsp;&amp;amp; &#34;b&#x22; &lt;p&gt; &unknown; 5&6"),
            "a &amp; \"b\" <p> &unknown; 5&6"
        );
    }

    #[test]
    fn scripts_styles_comments_and_office_markup_are_no_text() {
        let html = "a<style>p{color:red}</style><!--[if gte mso 9]><xml>junk</xml><![endif]--><o:p>b</o:p><w:x/>\
                    <SCRIPT>if (1 < 2) {}</script >c<img src=\"data:image/png;base64,AAAA>BBBB\">d";
        assert_eq!(text(html), "abcd");
    }

    #[test]
    fn a_lone_less_than_is_text() {
        for plain in [
            "I <3 you",
            "a < b and c > d",
            "1<2",
            "ends with <",
            "<",
            "x <y",
            "<>",
        ] {
            assert_eq!(text(plain), plain);
        }
    }

    #[test]
    fn broken_tags_lose_no_text_behind_them() {
        assert_eq!(text("<p class=\"x>one</p> two"), "one\n\ntwo");
        assert_eq!(text("<b <i>one</i>"), "<b one");
        assert_eq!(text("<style>never closed"), "");
        assert_eq!(text("<td>1</td><td>2</td>"), "1 2");
    }
}
