//! Looking again at what there is: redrawn on a terminal, the news as documents in a pipe.

use std::{
    collections::HashMap,
    io::{self, IsTerminal, Write},
    ops::ControlFlow,
    time::Duration,
};

use clap::Args;

use super::waiting::{End, Limit};
use crate::{
    Result,
    arguments::Format,
    exit::Exit,
    output::{
        self,
        cell::now,
        durations,
        form::Form,
        listing::{Columns, Row, streamed},
        unwritable,
    },
};

/// Lines of a terminal that are not a table's: the title, the header, and one for the cursor.
const LINES_BESIDE: usize = 3;

/// Whether to look again and again.
#[derive(Debug, Clone, Copy, Args)]
pub struct Watching {
    /// Look again until Ctrl-C: redrawn on a terminal; what is new or changed as JSON lines in a pipe.
    #[arg(short, long)]
    pub watch: bool,
    /// How often to look.
    #[arg(long, value_name = "DURATION", value_parser = durations::parse_pause, default_value = "2s", requires = "watch")]
    pub every: Duration,
}

/// What a look found.
pub struct Look<T> {
    /// What there is.
    pub documents: Vec<T>,
    /// Whether looking on is of no use.
    pub is_last: bool,
}

/// Looks every so often, and shows what there is, until it is told that a look was the last, the time is up, or
/// somebody presses Ctrl-C. Answers the last look.
pub async fn look_again<T: Row>(
    form: Form<'_>,
    every: Duration,
    limit: Limit,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<End<Vec<T>>> {
    let mut view = View::new(form, every)?;
    limit
        .every(every, async || {
            let found = look().await?;
            view.show(&found.documents)?;
            Ok(match found.is_last {
                true => ControlFlow::Break(found.documents),
                false => ControlFlow::Continue(()),
            })
        })
        .await
}

/// The same without an end of its own.
pub async fn look_on<T: Row>(
    form: Form<'_>,
    every: Duration,
    mut look: impl AsyncFnMut() -> Result<Vec<T>>,
) -> Result {
    let look = async || {
        let documents = look().await?;
        Ok(Look {
            documents,
            is_last: false,
        })
    };
    look_again(form, every, Limit { timeout: None }, look).await?;
    Ok(Exit::Interrupted)
}

/// How what there is is shown.
enum View<T> {
    /// Drawn over what was drawn before.
    Drawn {
        columns: Columns<T>,
        every: Duration,
        is_begun: bool,
    },
    /// A document for each that is new or changed.
    Documents {
        format: Format,
        seen: HashMap<String, String>,
    },
}

impl<T: Row> View<T> {
    fn new(form: Form<'_>, every: Duration) -> Result<Self> {
        let columns = Columns::of(form)?;
        if form.format.is_table() && io::stdout().is_terminal() && !output::is_dumb() {
            return Ok(Self::Drawn {
                columns,
                every,
                is_begun: false,
            });
        }
        Ok(Self::Documents {
            format: match form.format {
                Format::Table | Format::Wide => Format::Jsonl,
                other => other,
            },
            seen: HashMap::new(),
        })
    }

    fn show(&mut self, documents: &[T]) -> Result<()> {
        match self {
            Self::Drawn {
                columns,
                every,
                is_begun,
            } => {
                let (height, _) = console::Term::stdout().size();
                let room = usize::from(height).saturating_sub(LINES_BESIDE).max(1);
                let title = format!("{}  every {}, Ctrl-C ends", now(), durations::show(*every));
                let table = columns.draw(&documents[..documents.len().min(room)]);
                let mut out = io::stdout().lock();
                write!(out, "{}", frame(&title, &table, !*is_begun))?;
                out.flush()?;
                *is_begun = true;
                Ok(())
            }
            Self::Documents { format, seen } => {
                let mut there = HashMap::new();
                for document in documents {
                    let name = document.name();
                    let text = document.news().map_err(unwritable)?;
                    if seen.get(&name) != Some(&text) {
                        streamed(*format, document, |_| name.clone(), |_| Ok(()))?;
                    }
                    there.insert(name, text);
                }
                // What is gone is forgotten, and would be news again.
                *seen = there;
                Ok(())
            }
        }
    }
}

/// What draws a table over the one before: lines are cut rather than wrapped, and each clears what is left of the
/// line it replaces, so that nothing flickers.
fn frame(title: &str, table: &str, is_first: bool) -> String {
    let begin = if is_first { "\u{1b}[2J" } else { "" };
    let mut text = format!("{begin}\u{1b}[?7l\u{1b}[H");
    for line in std::iter::once(title).chain(table.lines()) {
        text.push_str(line);
        text.push_str("\u{1b}[K\r\n");
    }
    text.push_str("\u{1b}[J\u{1b}[?7h");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_drawn_over_the_one_before() {
        let first = frame("title", "a\nb", true);
        assert!(first.starts_with("\u{1b}[2J"), "what was there is cleared");
        let second = frame("title", "a", false);
        assert!(!second.contains("\u{1b}[2J"), "later it would flicker");
        assert!(second.contains("title\u{1b}[K\r\na\u{1b}[K\r\n"));
        assert!(
            second.ends_with("\u{1b}[J\u{1b}[?7h"),
            "rows that are gone are cleared, and lines wrap again"
        );
    }
}
