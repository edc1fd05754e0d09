//! Which column means what: by well-known names, or by the user's own mapping.

use std::collections::BTreeMap;

use crate::{
    ingest::json_array::quoted,
    parameters::{Parameters, bad},
    stage::StageError,
};

/// What a column can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// The question itself.
    Question,
    /// Its title.
    Title,
    /// The answer.
    Answer,
    /// Topics or tags.
    Topics,
    /// A person's name; several columns may be people.
    Person,
    /// The source's id of the question.
    QuestionId,
    /// Votes or score.
    Upvotes,
}

/// Every meaning with its name in the `mapping` parameter and the column names known for it, the surest
/// first. Names are compared without case, spaces and punctuation.
const KNOWN: [(Meaning, &str, &[&str]); 7] = [
    (
        Meaning::Question,
        "question",
        &[
            "questiontext",
            "questionbody",
            "question",
            "prompt",
            "query",
            "input",
            "context",
            "usermessage",
            "instruction",
            "post",
            "posttext",
            "body",
        ],
    ),
    (
        Meaning::Title,
        "title",
        &["questiontitle", "title", "posttitle", "subject", "headline"],
    ),
    (
        Meaning::Answer,
        "answer",
        &[
            "answertext",
            "answerbody",
            "answer",
            "response",
            "completion",
            "output",
            "reply",
            "assistantmessage",
            "counselorresponse",
            "therapistresponse",
            "target",
        ],
    ),
    (
        Meaning::Topics,
        "topics",
        &["topics", "topic", "tags", "tag", "categories", "category"],
    ),
    (
        Meaning::Person,
        "people",
        &[
            "therapistname",
            "therapist",
            "counselorname",
            "counsellorname",
            "counselor",
            "counsellor",
            "authorname",
            "author",
            "name",
            "fullname",
            "firstname",
            "lastname",
            "username",
            "patientname",
            "clientname",
            "doctor",
            "physician",
            "asker",
            "respondent",
        ],
    ),
    (
        Meaning::QuestionId,
        "question_id",
        &["questionid", "qid", "postid", "threadid", "id"],
    ),
    (
        Meaning::Upvotes,
        "upvotes",
        &["upvotes", "upvote", "votes", "score", "likes"],
    ),
];

/// The user's own mapping, by meaning.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    overrides: Vec<(Meaning, String)>,
}

impl Mapping {
    /// Reads `mapping`: an object of meaning → column name.
    pub fn from_parameters(parameters: Parameters<'_>) -> Result<Self, StageError> {
        let mut overrides = Vec::new();
        for (name, column) in parameters.pairs("mapping")? {
            let known = KNOWN.iter().find(|(_, known, _)| *known == name);
            let Some((meaning, ..)) = known else {
                let names = KNOWN.map(|(_, name, _)| name.to_owned());
                return Err(bad(
                    "mapping",
                    format!("`{name}` is none of {}", quoted(&names)),
                ));
            };
            overrides.push((*meaning, column));
        }
        Ok(Self { overrides })
    }

    /// What the named column of a JSON object means, and how sure that is (less is surer).
    pub fn meaning_of(&self, column: &str) -> Option<(Meaning, usize)> {
        if let Some((meaning, _)) = self.overrides.iter().find(|(_, name)| name == column) {
            return Some((*meaning, 0));
        }
        let plain = plain(column);
        KNOWN
            .iter()
            .filter(|(meaning, ..)| {
                !self
                    .overrides
                    .iter()
                    .any(|(overridden, _)| overridden == meaning)
            })
            .find_map(|(meaning, _, names)| {
                let rank = names.iter().position(|name| *name == plain)?;
                Some((*meaning, rank + 1))
            })
    }

    /// Finds the columns of a header. Without an answer, or without question and title, that is an error
    /// which lists the columns there are.
    pub fn resolve(&self, header: &[String], file: &str) -> Result<Columns, StageError> {
        let mut best: BTreeMap<Meaning, (usize, usize)> = BTreeMap::new();
        let mut people = Vec::new();
        for (index, column) in header.iter().enumerate() {
            match self.meaning_of(column) {
                Some((Meaning::Person, _)) => people.push(index),
                Some((meaning, rank)) => {
                    let entry = best.entry(meaning).or_insert((rank, index));
                    *entry = (*entry).min((rank, index));
                }
                None => {}
            }
        }
        for (_, wanted) in &self.overrides {
            if !header.contains(wanted) {
                return Err(self.missing(
                    file,
                    &format!("column `{wanted}`, which the mapping names"),
                    header,
                ));
            }
        }
        let index = |meaning| best.get(&meaning).map(|(_, index)| *index);
        let columns = Columns {
            question: index(Meaning::Question),
            title: index(Meaning::Title),
            answer: index(Meaning::Answer),
            topics: index(Meaning::Topics),
            question_id: index(Meaning::QuestionId),
            upvotes: index(Meaning::Upvotes),
            people,
        };
        if columns.answer.is_none() {
            return Err(self.missing(file, "a column for the answer", header));
        }
        if columns.question.is_none() && columns.title.is_none() {
            return Err(self.missing(file, "a column for the question", header));
        }
        Ok(columns)
    }

    fn missing(&self, file: &str, what: &str, header: &[String]) -> StageError {
        StageError::bad_input(
            "missing_columns",
            format!(
                "`{file}` has no {}; found {}; {}",
                what.trim_start_matches("a "),
                shown(header),
                expectation()
            ),
        )
    }
}

/// What would be right, for an error message.
pub fn expectation() -> String {
    "expected a question (`questionText`, `question`, `prompt`, `input`, …) and an answer (`answerText`, \
     `answer`, `response`, `output`, …), or name them with the parameter \
     `{\"mapping\": {\"question\": \"<column>\", \"answer\": \"<column>\"}}`"
        .to_owned()
}

fn shown(header: &[String]) -> String {
    const SHOWN: usize = 30;
    let names: Vec<String> = header
        .iter()
        .take(SHOWN)
        .map(|name| name.chars().take(60).collect())
        .collect();
    let more = header.len().saturating_sub(SHOWN);
    let mut text = format!("the columns {}", quoted(&names));
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Where each meaning stands in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Index of the question.
    pub question: Option<usize>,
    /// Index of the title.
    pub title: Option<usize>,
    /// Index of the answer.
    pub answer: Option<usize>,
    /// Index of the topics.
    pub topics: Option<usize>,
    /// Index of the question's id.
    pub question_id: Option<usize>,
    /// Index of the votes.
    pub upvotes: Option<usize>,
    /// Indexes of names of people.
    pub people: Vec<usize>,
}

impl Columns {
    /// Every column that means something.
    pub fn all(&self) -> Vec<(Meaning, usize)> {
        let single = [
            (Meaning::Question, self.question),
            (Meaning::Title, self.title),
            (Meaning::Answer, self.answer),
            (Meaning::Topics, self.topics),
            (Meaning::QuestionId, self.question_id),
            (Meaning::Upvotes, self.upvotes),
        ];
        let people = self.people.iter().map(|index| (Meaning::Person, *index));
        single
            .into_iter()
            .filter_map(|(meaning, index)| Some((meaning, index?)))
            .chain(people)
            .collect()
    }
}

/// Lower case without anything but letters and digits: `Question_Text` and `questionText` are the same.
fn plain(column: &str) -> String {
    column
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn resolve(parameters: Value, header: &[&str]) -> Result<Columns, String> {
        let mapping =
            Mapping::from_parameters(Parameters(&parameters)).map_err(|error| error.to_string())?;
        let header: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
        mapping
            .resolve(&header, "file.csv")
            .map_err(|error| error.to_string())
    }

    #[test]
    fn known_names_are_found_whatever_their_case_and_punctuation() {
        let columns = resolve(
            json!({}),
            &[
                "Question Title",
                "question_text",
                "Therapist-Name",
                "ANSWER",
            ],
        )
        .unwrap();
        assert_eq!(columns.title, Some(0));
        assert_eq!(columns.question, Some(1));
        assert_eq!(columns.people, [2]);
        assert_eq!(columns.answer, Some(3));
    }

    #[test]
    fn the_surer_name_wins_whatever_the_order() {
        assert_eq!(
            resolve(json!({}), &["context", "question", "answer"])
                .unwrap()
                .question,
            Some(1)
        );
    }

    #[test]
    fn the_users_mapping_comes_first() {
        let parameters = json!({"mapping": {"question": "context", "answer": "B"}});
        let columns = resolve(parameters, &["question", "context", "answer", "B"]).unwrap();
        assert_eq!((columns.question, columns.answer), (Some(1), Some(3)));
    }

    #[test]
    fn a_missing_column_is_told_with_those_found_and_what_would_be_right() {
        let error = resolve(json!({}), &["foo", "bar"]).unwrap_err();
        assert!(
            error.contains("`foo`, `bar`") && error.contains("mapping"),
            "{error}"
        );
        let error = resolve(
            json!({"mapping": {"answer": "nope"}}),
            &["question", "answer"],
        )
        .unwrap_err();
        assert!(error.contains("`nope`"), "{error}");
        let error = resolve(json!({"mapping": {"anwser": "x"}}), &["question"]).unwrap_err();
        assert!(
            error.contains("`anwser`") && error.contains("`answer`"),
            "{error}"
        );
    }
}
