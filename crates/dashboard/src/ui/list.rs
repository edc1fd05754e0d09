//! Lists: pages with cursors that stay where they are while documents come and go, and what came since.

use maud::{Markup, html};
use mcpanel_domain::{Timestamp, limits::ID_CHARS_MAX};
use mcpanel_store::query::{Page, Position};

use crate::limits::{ROWS_DEFAULT, ROWS_MAX};

/// The query of a page, in the order in which it was written.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the question mark.
    pub fn read(text: Option<&str>) -> Self {
        Self::parse(text.unwrap_or_default().as_bytes())
    }

    /// Reads names and values as addresses and forms have them.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first value of a name; nothing when it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// All values of a name.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0
            .iter()
            .filter(move |(found, value)| found == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The same without these names and without empty values.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(name, value)| !names.contains(&name.as_str()) && !value.is_empty())
                .cloned()
                .collect(),
        )
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Names and values.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A path with this query.
    pub fn on(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            text.append_pair(name, value);
        }
        format!("{path}?{}", text.finish())
    }

    /// Which page it asks for.
    pub fn page(&self) -> Page {
        let limit = self
            .text("limit")
            .and_then(|text| text.parse().ok())
            .unwrap_or(ROWS_DEFAULT);
        // A list that refreshes itself stays where it began, so that its rows do.
        let from = self
            .text("from_row")
            .and_then(read_position)
            .map(|row| Position {
                created_at: row.created_at,
                // Next after the id in their order: `!` comes before every character that an id may have.
                id: format!("{}!", row.id),
            });
        Page {
            after: self.text("after").and_then(read_position).or(from),
            limit: limit.clamp(1, ROWS_MAX),
        }
    }
}

/// A place in a list as the query has it: milliseconds, a dot, and the id.
pub fn write_position(position: &Position) -> String {
    format!("{}.{}", position.created_at.as_ms(), position.id)
}

fn read_position(text: &str) -> Option<Position> {
    let (ms, id) = text.split_once('.')?;
    let is_id = id.len() <= ID_CHARS_MAX
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    is_id.then_some(())?;
    Some(Position {
        created_at: Timestamp::from_ms(ms.parse().ok()?),
        id: id.to_owned(),
    })
}

/// A moment as a browser's field writes it (`2026-01-02T03:04`, in UTC), or as the API does.
pub fn moment(text: &str) -> Option<Timestamp> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    };
    Timestamp::parse(&whole).ok()
}

/// The links under a list.
pub fn pager(path: &str, query: &Query, next: Option<&Position>) -> Markup {
    let plain = query.without(&["after", "from_row"]);
    let is_first = query.text("after").is_none();
    html! {
        @if !is_first || next.is_some() {
            nav.pager aria-label="Pages" {
                @if !is_first { a.button href=(plain.on(path)) { "Newest" } }
                @if let Some(next) = next {
                    a.button rel="next" href=(plain.with("after", &write_position(next)).on(path)) { "Older" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_round_and_rubbish_does_not_pass() {
        let place = Position {
            created_at: Timestamp::from_ms(1_767_323_045_678),
            id: "pipe.1:a-b_c".to_owned(),
        };
        assert_eq!(read_position(&write_position(&place)), Some(place));
        for rubbish in ["", "12", "x.y", "12.a b", "12.<script>"] {
            assert_eq!(read_position(rubbish), None, "{rubbish}");
        }
    }

    #[test]
    fn a_list_that_refreshes_itself_begins_with_the_row_it_began_with() {
        let query = Query::read(Some("from_row=5.b&status=failed"));
        let after = query.page().after.unwrap();
        let row = |id: &str| Position {
            created_at: Timestamp::from_ms(5),
            id: id.to_owned(),
        };
        assert!(row("b") < after, "the row itself comes after the place");
        assert!(row("b0") > after && row("c") > after, "newer rows do not");
    }

    #[test]
    fn a_query_is_written_so_that_it_reads_the_same() {
        let query = Query::read(Some("q=a%26b+c&status=failed&status=retry&empty="));
        let again = query.without(&["status"]).with("status", "<x>");
        assert_eq!(again.on("/tasks"), "/tasks?q=a%26b+c&status=%3Cx%3E");
        assert_eq!(query.all("status").collect::<Vec<_>>(), ["failed", "retry"]);
        assert_eq!(query.page().limit, ROWS_DEFAULT);
        assert_eq!(Query::read(Some("limit=9999")).page().limit, ROWS_MAX);
    }
}
