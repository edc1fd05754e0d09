//! How a table becomes no wider than the terminal.
//!
//! Free-form text gives way first, of which people are shown the beginning anyway; then names, which keep both their
//! ends, because ids that were made one after the other differ in the last characters. Columns that have no room even
//! then are left out from the right, and named. The first column is what further commands are given: it stays whole.

use super::cell::Cell;

/// The spaces that a table has around each value.
const PADDING: usize = 2;

/// Narrowest column of free-form text, in characters: a few words, which say what it is about.
const TEXT_CHARS_MIN: usize = 20;

/// Narrowest column of names, in characters: `agent_…x7k2` can still be told from its neighbour.
const NAME_CHARS_MIN: usize = 12;

/// How a column gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Giving {
    Text,
    Name,
    Nothing,
}

/// A column that is to be drawn.
#[derive(Debug, Clone, Copy)]
struct Column {
    width: usize,
    /// What it needs for its title.
    title: usize,
    giving: Giving,
}

/// Makes rows fit into `room` characters and answers how many columns they have then. Columns are only left out, and
/// names only cut, when `are_usual`: who named the columns, or asked for all, gets them.
pub fn fit(titles: &[&str], rows: &mut [Vec<Shown>], room: usize, are_usual: bool) -> usize {
    let mut all: Vec<Column> = titles
        .iter()
        .enumerate()
        .map(|(at, title)| column(at, title, rows))
        .collect();
    let fewest = if are_usual { 1 } else { all.len() };
    let mut kept = all.len();
    while kept > 0 {
        let mut columns = all[..kept].to_vec();
        give_way(&mut columns, Giving::Text, TEXT_CHARS_MIN, room);
        if are_usual {
            give_way(&mut columns, Giving::Name, NAME_CHARS_MIN, room);
        }
        if width(&columns) <= room || kept <= fewest {
            all = columns;
            break;
        }
        kept -= 1;
    }
    for row in rows {
        row.truncate(kept);
        for (shown, column) in row.iter_mut().zip(&all) {
            shown.cut(column.width, column.giving);
        }
    }
    kept
}

/// A value as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    pub colour: Option<anstyle::AnsiColor>,
    giving: Giving,
}

impl Shown {
    /// A value as people see it `now`.
    pub fn of(cell: &Cell, text: String) -> Self {
        Self {
            text,
            colour: cell.colour(),
            giving: match cell {
                Cell::Long(_) => Giving::Text,
                Cell::Text(_) => Giving::Name,
                Cell::Status(_) | Cell::Moment(_) | Cell::Empty => Giving::Nothing,
            },
        }
    }

    fn cut(&mut self, chars_max: usize, giving: Giving) {
        if self.text.chars().count() <= chars_max {
            return;
        }
        let tail = match giving {
            Giving::Text => 0,
            Giving::Name => (chars_max - 1) / 2,
            Giving::Nothing => return,
        };
        let chars: Vec<char> = self.text.chars().collect();
        let head = &chars[..chars_max - 1 - tail];
        let tail = &chars[chars.len() - tail..];
        self.text = head.iter().chain(&['…']).chain(tail).collect();
    }
}

fn column(at: usize, title: &str, rows: &[Vec<Shown>]) -> Column {
    let values = || rows.iter().filter_map(|row| row.get(at));
    let is_any = |giving| values().any(|shown| shown.giving == giving);
    let widest = values().map(|shown| shown.text.chars().count()).max();
    let title = title.chars().count();
    Column {
        width: widest.unwrap_or(0).max(title),
        title,
        giving: match at {
            0 => Giving::Nothing,
            _ if is_any(Giving::Text) => Giving::Text,
            _ if is_any(Giving::Name) => Giving::Name,
            _ => Giving::Nothing,
        },
    }
}

/// Takes from the widest of such columns until the table fits or none can give more.
fn give_way(columns: &mut [Column], giving: Giving, chars_min: usize, room: usize) {
    while width(columns) > room {
        let able = columns
            .iter_mut()
            .filter(|column| column.giving == giving && column.width > column.title.max(chars_min));
        match able.max_by_key(|column| column.width) {
            Some(widest) => widest.width -= 1,
            None => return,
        }
    }
}

/// How wide a table of these columns is, without the spaces at the ends of its lines.
fn width(columns: &[Column]) -> usize {
    let widths: usize = columns.iter().map(|column| column.width + PADDING).sum();
    widths.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &[&str] = &["TASK", "STATUS", "AGENT", "ERROR"];

    fn rows() -> Vec<Vec<Shown>> {
        let cells = [
            Cell::from("task_01kay1vd00aa"),
            Cell::Status("failed".to_owned()),
            Cell::from("agent_01kay1vd9900zz"),
            Cell::long("the model answered nothing for thirty seconds"),
        ];
        let shown = |cell: &Cell| Shown::of(cell, cell.plain());
        vec![cells.iter().map(shown).collect()]
    }

    fn fitted(room: usize, are_usual: bool) -> (usize, Vec<String>) {
        let mut rows = rows();
        let kept = fit(TITLES, &mut rows, room, are_usual);
        let texts = rows.remove(0).into_iter().map(|shown| shown.text).collect();
        (kept, texts)
    }

    fn line(texts: &[String]) -> usize {
        texts
            .iter()
            .map(|text| text.chars().count() + PADDING)
            .sum::<usize>()
            - 1
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let (kept, texts) = fitted(95, true);
        assert_eq!(kept, 4);
        assert_eq!(texts[3], "the model answered nothing for thirty seconds");
        assert_eq!(line(&texts), 95);
    }

    #[test]
    fn text_gives_way_before_names_do() {
        let (_, texts) = fitted(94, true);
        assert_eq!(texts[3], "the model answered nothing for thirty secon…");
        let (_, texts) = fitted(70, true);
        assert_eq!(texts[2], "agent_01kay1vd9900zz");
        assert_eq!(texts[3], "the model answered …");
        assert_eq!(line(&texts), 70);
        let (_, texts) = fitted(64, true);
        assert_eq!(texts[2], "agent_0…9900zz");
        assert_eq!(line(&texts), 64);
    }

    #[test]
    fn what_has_no_room_is_left_out_from_the_right_and_the_first_column_stays_whole() {
        let (kept, texts) = fitted(50, true);
        assert_eq!((kept, texts.len()), (3, 3));
        // The columns that stay have the room of those that went.
        assert_eq!(texts[2], "agent_01kay1vd9900zz");
        let (kept, texts) = fitted(5, true);
        assert_eq!((kept, texts), (1, vec!["task_01kay1vd00aa".to_owned()]));
    }

    #[test]
    fn columns_that_somebody_asked_for_are_all_there() {
        let (kept, texts) = fitted(5, false);
        assert_eq!(kept, 4);
        assert_eq!(texts[2], "agent_01kay1vd9900zz");
        assert_eq!(texts[3].chars().count(), TEXT_CHARS_MIN);
    }

    #[test]
    fn a_column_is_as_wide_as_its_title() {
        let mut rows = vec![vec![
            Shown::of(&Cell::from("a"), "a".to_owned()),
            Shown::of(&Cell::from("b"), "b".repeat(40)),
        ]];
        let kept = fit(&["ID", "A TITLE OF TWENTY-FOUR.."], &mut rows, 10, false);
        assert_eq!((kept, rows[0][1].text.chars().count()), (2, 40));
        let kept = fit(&["ID", "A TITLE OF TWENTY-FOUR.."], &mut rows, 29, true);
        assert_eq!((kept, rows[0][1].text.chars().count()), (2, 24));
        assert_eq!(fit(&["ID", "EMPTY"], &mut [], 80, true), 2);
    }
}
