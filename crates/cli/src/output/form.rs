//! The form of an answer: its format, and which columns of a table.

use super::cell::Cell;
use crate::{Failure, Result, arguments::Format};

/// How to write an answer.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The format.
    pub format: Format,
    /// The columns to show, in their order; all when empty.
    pub columns: &'a [String],
}

impl Form<'_> {
    /// The places of the columns that were named, in their order; all places when none was.
    pub fn choose(self, titles: &[&str]) -> Result<Vec<usize>> {
        if self.columns.is_empty() {
            return Ok((0..titles.len()).collect());
        }
        let place = |name: &String| {
            let found = titles.iter().position(|title| bare(title) == bare(name));
            found.ok_or_else(|| {
                let names: Vec<String> = titles.iter().map(|title| typed(title)).collect();
                Failure::usage(format!("there is no column `{name}`"))
                    .hint(format!("there are {}", names.join(", ")))
            })
        };
        self.columns.iter().map(place).collect()
    }
}

/// The values at these places.
pub fn at(places: &[usize], cells: Vec<Cell>) -> Vec<Cell> {
    let mut cells: Vec<Option<Cell>> = cells.into_iter().map(Some).collect();
    places
        .iter()
        .map(|place| {
            // A column may be named twice; then it is empty the second time.
            let cell = cells.get_mut(*place).and_then(Option::take);
            cell.unwrap_or(Cell::Empty)
        })
        .collect()
}

/// A title as it is typed: `LAST HEARTBEAT` is `last-heartbeat`.
fn typed(title: &str) -> String {
    title.to_ascii_lowercase().replace(' ', "-")
}

/// A title without what people write differently.
fn bare(title: &str) -> String {
    let letters = title.chars().filter(|letter| letter.is_alphanumeric());
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &[&str] = &["TASK", "LAST HEARTBEAT", "SHA-256"];

    fn chosen(names: &[&str]) -> Result<Vec<usize>> {
        let columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let form = Form {
            format: Format::Table,
            columns: &columns,
        };
        form.choose(TITLES)
    }

    #[test]
    fn columns_are_named_as_people_write_them() {
        assert_eq!(chosen(&["last-heartbeat", "task"]).unwrap(), [1, 0]);
        assert_eq!(chosen(&["Last_Heartbeat", "sha256"]).unwrap(), [1, 2]);
        assert_eq!(chosen(&[]).unwrap(), [0, 1, 2]);
    }

    #[test]
    fn a_column_that_is_none_is_named_with_those_there_are() {
        let failure = chosen(&["task", "tusk"]).unwrap_err();
        assert_eq!(failure.what, "there is no column `tusk`");
        assert_eq!(
            failure.hint.as_deref(),
            Some("there are task, last-heartbeat, sha-256")
        );
    }
}
