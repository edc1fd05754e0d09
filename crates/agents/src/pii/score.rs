//! Precision and recall on sentences in which every identifier is marked as `[[KIND:text]]`.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Kind, Span, find, people::People};

/// A sentence with its marked identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The sentence without marks.
    pub text: String,
    /// What is marked.
    pub spans: Vec<Span>,
}

/// Parses a file of labelled sentences: one per line, `#` begins a comment.
pub fn parse(file: &str) -> Result<Vec<Labelled>, String> {
    file.lines()
        .zip(1..)
        .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, number)| {
            parse_line(line).ok_or_else(|| format!("line {number}: broken mark in `{line}`"))
        })
        .collect()
}

fn parse_line(line: &str) -> Option<Labelled> {
    let (mut text, mut spans, mut rest) = (String::new(), Vec::new(), line);
    while let Some(open) = rest.find("[[") {
        text.push_str(&rest[..open]);
        let (label, after) = rest[open + 2..].split_once("]]")?;
        let (kind, value) = label.split_once(':')?;
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        let start = text.len();
        text.push_str(value);
        spans.push(Span {
            start,
            end: text.len(),
            kind,
        });
        rest = after;
    }
    text.push_str(rest);
    Some(Labelled { text, spans })
}

/// Counts of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Marked identifiers.
    pub marked: u64,
    /// Of those, whose every letter and digit was removed under the right kind.
    pub recalled: u64,
    /// Of those, whose every letter and digit was removed under any kind.
    pub removed: u64,
    /// Replacements made.
    pub found: u64,
    /// Of those, that touch a mark of the same kind.
    pub right: u64,
}

/// Counts by kind, and in sum.
#[derive(Debug, Clone, Default)]
pub struct Score {
    /// By kind.
    pub kinds: BTreeMap<Kind, Count>,
    /// Of all kinds.
    pub all: Count,
    /// Sentences without an identifier.
    pub negatives: u64,
    /// Of those, left as they were.
    pub untouched: u64,
    /// What went wrong, for whoever tunes.
    pub mistakes: Vec<String>,
}

impl Score {
    /// Runs the rules over labelled sentences.
    pub fn of(sentences: &[Labelled]) -> Self {
        let mut score = Self::default();
        for sentence in sentences {
            score.add(sentence, &find(&sentence.text, &People::none()));
        }
        score
    }

    fn add(&mut self, sentence: &Labelled, found: &[Span]) {
        if sentence.spans.is_empty() {
            self.negatives += 1;
            self.untouched += u64::from(found.is_empty());
        }
        for mark in &sentence.spans {
            let recalled = covered(&sentence.text, mark, found, Some(mark.kind));
            let removed = covered(&sentence.text, mark, found, None);
            self.count(mark.kind, |count| {
                count.marked += 1;
                count.recalled += u64::from(recalled);
                count.removed += u64::from(removed);
            });
            if !recalled {
                self.mistakes
                    .push(format!("missed {:?} in: {}", mark.kind, sentence.text));
            }
        }
        for span in found {
            let right = sentence.spans.iter().any(|mark| {
                mark.kind == span.kind && mark.start < span.end && span.start < mark.end
            });
            self.count(span.kind, |count| {
                count.found += 1;
                count.right += u64::from(right);
            });
            if !right {
                let taken = &sentence.text[span.start..span.end];
                self.mistakes.push(format!(
                    "took `{taken}` for {:?} in: {}",
                    span.kind, sentence.text
                ));
            }
        }
    }

    fn count(&mut self, kind: Kind, change: impl Fn(&mut Count)) {
        change(self.kinds.entry(kind).or_default());
        change(&mut self.all);
    }

    /// The table of `docs/pii.md`.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| kind | marked | recall | removed at all | found | precision |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        let rows = self
            .kinds
            .iter()
            .map(|(kind, count)| (kind.as_str(), count));
        for (name, count) in rows.chain([("**all**", &self.all)]) {
            writeln!(
                table,
                "| {name} | {} | {} | {} | {} | {} |",
                count.marked,
                share(count.recalled, count.marked),
                share(count.removed, count.marked),
                count.found,
                share(count.right, count.found),
            )
            .expect("writing to a string cannot fail");
        }
        table
    }
}

/// The text of `docs/pii.md`.
pub fn document(tuning: &Score, held_out: &Score, hard: &Score) -> String {
    let negatives = |score: &Score| format!("{} of {}", score.untouched, score.negatives);
    format!(
        include_str!("pii.md.in"),
        held_out_table = held_out.table(),
        held_out_negatives = negatives(held_out),
        hard_table = hard.table(),
        hard_negatives = negatives(hard),
        tuning_table = tuning.table(),
        tuning_negatives = negatives(tuning),
    )
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.2}", part as f64 / whole as f64)
}

/// Every letter and digit of the mark lies in a span of the kind (or of any).
fn covered(text: &str, mark: &Span, found: &[Span], kind: Option<Kind>) -> bool {
    text[mark.start..mark.end]
        .char_indices()
        .filter(|(_, letter)| letter.is_alphanumeric())
        .all(|(offset, _)| {
            let at = mark.start + offset;
            found.iter().any(|span| {
                kind.is_none_or(|kind| kind == span.kind) && (span.start..span.end).contains(&at)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_parsed_with_their_places() {
        let labelled = parse("# c\nAsk [[NAME:Ada]] or [[EMAIL:a@example.com]].\n").unwrap();
        assert_eq!(labelled[0].text, "Ask Ada or a@example.com.");
        assert_eq!(
            labelled[0].spans[1],
            Span {
                start: 11,
                end: 24,
                kind: Kind::Email
            }
        );
        assert!(parse("[[NOPE:x]]").is_err());
    }

    #[test]
    fn a_partly_removed_identifier_is_not_recalled() {
        let sentence = &parse("Ask [[NAME:Ada Example]].").unwrap()[0];
        let part = [Span {
            start: 4,
            end: 7,
            kind: Kind::Name,
        }];
        let mut score = Score::default();
        score.add(sentence, &part);
        assert_eq!(
            (score.all.marked, score.all.recalled, score.all.right),
            (1, 0, 1)
        );
    }
}
