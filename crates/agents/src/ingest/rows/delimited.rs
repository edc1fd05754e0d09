//! Rows of delimited text.

use std::io::BufRead;

use super::{Fields, Row, problem_row, split_topics, too_large};
use crate::{
    ingest::{
        columns::Columns,
        delimited::{DelimitedReader, DelimitedRow, Ended},
        excerpt,
        sniff::wrong_encoding,
    },
    io::source::classify,
    record::Reason,
    stage::StageError,
};

/// The column names, which the first row holds.
pub(super) fn read_header(
    reader: &mut DelimitedReader<impl BufRead>,
    row: &mut DelimitedRow,
    name: &str,
) -> Result<Vec<String>, StageError> {
    let ended = reader.read(row).map_err(|error| classify(error, name))?;
    match ended {
        Some(Ended::Whole) => {}
        None => {
            return Err(StageError::bad_input(
                "empty_file",
                format!("`{name}` holds only empty lines"),
            ));
        }
        Some(Ended::TooLarge | Ended::UnclosedQuote) => {
            return Err(StageError::bad_input(
                "bad_header",
                format!(
                    "the first row of `{name}` does not end; expected a header of column names, is a quote unclosed?"
                ),
            ));
        }
    }
    row.fields()
        .map(|field| {
            std::str::from_utf8(field)
                .map(|text| text.trim().to_owned())
                .map_err(|_| wrong_encoding(name, "a column name holds other bytes"))
        })
        .collect()
}

/// A row by the meaning of its columns.
pub(super) fn delimited_row(
    row: &DelimitedRow,
    ended: Ended,
    header: &[String],
    columns: &Columns,
) -> Row {
    match ended {
        Ended::TooLarge => {
            return too_large(
                row.line,
                row.bytes(),
                "; is a quote unclosed on its first line?",
            );
        }
        Ended::UnclosedQuote => {
            let detail = "the file ends inside quotes that were opened in this row";
            return problem_row(row.line, row.bytes(), Reason::new("unclosed_quote", detail));
        }
        Ended::Whole if row.len() != header.len() => {
            let detail = format!(
                "the row has {} columns, the header has {}",
                row.len(),
                header.len()
            );
            return problem_row(row.line, row.bytes(), Reason::new("column_count", detail));
        }
        Ended::Whole => {}
    }
    let raw: Vec<&[u8]> = row.fields().collect();
    let mut problems = Vec::new();
    let mut text = |index: Option<usize>| -> String {
        let Some(index) = index else {
            return String::new();
        };
        match std::str::from_utf8(raw[index]) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                let detail = format!(
                    "column `{}` is not valid UTF-8 at its byte {}",
                    header[index],
                    error.valid_up_to()
                );
                problems.push(Reason::new("invalid_utf8", detail));
                String::new()
            }
        }
    };
    let fields = Fields {
        question: text(columns.question),
        title: text(columns.title),
        answer: text(columns.answer),
        topics: split_topics(&text(columns.topics)),
        question_id: text(columns.question_id).trim().to_owned(),
        upvotes: text(columns.upvotes).trim().parse().ok(),
        people: columns
            .people
            .iter()
            .map(|index| text(Some(*index)).trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    };
    Row {
        line: row.line,
        fields,
        problems,
        excerpt: excerpt(row.bytes()),
    }
}
