//! Lists: a table on a terminal, tab-separated text otherwise, or the API's own documents.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use comfy_table::{CellAlignment, Color, Table};
use serde::Serialize;

use super::{
    cell::{Cell, now},
    fitting::{self, Shown},
    form::{Form, at},
    json, jsonl, line, say, unwritable, yaml,
};
use crate::{Result, arguments::Format};

/// A document that can be a row.
pub trait Row: Serialize {
    /// The titles of the columns.
    const HEADER: &'static [&'static str];

    /// The titles of the columns that a wide table has beside them.
    const WIDE: &'static [&'static str] = &[];

    /// Its id.
    fn name(&self) -> String;

    /// What tells whether it changed since somebody looked: all of it, unless parts change with every look.
    fn news(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// The values of the columns.
    fn cells(&self) -> Vec<Cell>;

    /// The values of the columns that a wide table has beside them.
    fn wide_cells(&self) -> Vec<Cell> {
        Vec::new()
    }

    /// What is shown of it alone: more than a row has room for.
    fn details(&self) -> Vec<(&'static str, Cell)> {
        Self::HEADER.iter().copied().zip(self.cells()).collect()
    }
}

/// Writes documents to stdout.
pub fn many<T: Row>(form: Form<'_>, documents: &[T]) -> Result<()> {
    let mut listing = Listing::new(form)?;
    listing.add(documents)?;
    listing.finish().map(|_| ())
}

/// Writes one document to stdout: on a terminal its fields below each other.
pub fn one<T: Row>(form: Form<'_>, document: &T) -> Result<()> {
    match form.format {
        Format::Table | Format::Wide => fields(form, document.details()),
        Format::Json => json(document),
        Format::Jsonl => jsonl(document),
        Format::Yaml => yaml::document(document),
        Format::Name => line(&document.name()),
    }
}

/// Writes one document of a stream to stdout, where no bracket could close a list: as `told` to people, else a
/// document of its own.
pub fn streamed<T: Serialize>(
    format: Format,
    document: &T,
    name: impl FnOnce(&T) -> String,
    told: impl FnOnce(&T) -> Result<()>,
) -> Result<()> {
    match format {
        Format::Table | Format::Wide => told(document),
        Format::Json | Format::Jsonl => jsonl(document),
        Format::Yaml => yaml::streamed(document),
        Format::Name => line(&name(document)),
    }
}

/// The columns of a table: which, and from which document.
pub struct Columns<T> {
    places: Vec<usize>,
    titles: Vec<&'static str>,
    /// Whether nobody said which, so that some may be left out where there is no room.
    are_usual: bool,
    documents: std::marker::PhantomData<fn(&T)>,
}

impl<T: Row> Columns<T> {
    /// Those that were named, in their order; else those of the format.
    pub fn of(form: Form<'_>) -> Result<Self> {
        let all: Vec<&'static str> = T::HEADER.iter().chain(T::WIDE).copied().collect();
        let mut places = form.choose(&all)?;
        let are_usual = form.columns.is_empty() && form.format != Format::Wide;
        if are_usual {
            places.truncate(T::HEADER.len());
        }
        Ok(Self {
            titles: places.iter().map(|place| all[*place]).collect(),
            are_usual,
            places,
            documents: std::marker::PhantomData,
        })
    }

    /// Their values in a document.
    pub fn cells(&self, document: &T) -> Vec<Cell> {
        let mut cells = document.cells();
        cells.extend(document.wide_cells());
        at(&self.places, cells)
    }

    /// Documents as a table for people.
    pub fn draw(&self, documents: &[T]) -> String {
        let rows: Vec<Vec<Cell>> = documents.iter().map(|row| self.cells(row)).collect();
        self.fitted(&rows).0
    }

    /// Rows as a table that fits the terminal, and the titles of the columns that have no room there.
    fn fitted(&self, rows: &[Vec<Cell>]) -> (String, &[&'static str]) {
        let now = now();
        let show = |cell: &Cell| Shown::of(cell, cell.shown(now));
        let mut rows: Vec<Vec<Shown>> = rows
            .iter()
            .map(|row| row.iter().map(show).collect())
            .collect();
        let room = room();
        let kept = fitting::fit(&self.titles, &mut rows, room, self.are_usual);
        let (kept, left_out) = self.titles.split_at(kept);
        (drawn(kept, rows), left_out)
    }
}

/// The columns of the terminal that stdout is; endless where none is known.
fn room() -> usize {
    let size = console::Term::stdout().size_checked();
    size.map_or(usize::MAX, |(_, columns)| usize::from(columns))
}

/// Says which columns a table was too narrow for.
fn tell_left_out(titles: &[&str]) {
    if !titles.is_empty() {
        let titles = titles.join(", ");
        say(format_args!(
            "no room for {titles} (`-o wide` has all, `--columns` those you name)"
        ));
    }
}

/// Documents on their way to stdout, page by page, so that a long list needs no memory: only a table on a terminal
/// waits for its end, because its widths depend on all rows.
pub struct Listing<T> {
    format: Format,
    columns: Columns<T>,
    rows: Option<Vec<Vec<Cell>>>,
    written: u64,
}

impl<T: Row> Listing<T> {
    /// An empty list. Fails when a column was named that there is not.
    pub fn new(form: Form<'_>) -> Result<Self> {
        let is_drawn = form.format.is_table() && io::stdout().is_terminal();
        Ok(Self {
            format: form.format,
            columns: Columns::of(form)?,
            rows: is_drawn.then(Vec::new),
            written: 0,
        })
    }

    /// More documents.
    pub fn add(&mut self, documents: &[T]) -> Result<()> {
        for document in documents {
            self.add_one(document)?;
        }
        Ok(())
    }

    fn add_one(&mut self, document: &T) -> Result<()> {
        let is_first = self.written == 0;
        self.written += 1;
        if let Some(rows) = &mut self.rows {
            rows.push(self.columns.cells(document));
            return Ok(());
        }
        match self.format {
            Format::Table | Format::Wide => {
                if is_first {
                    self.header()?;
                }
                tabbed(&self.columns.cells(document))
            }
            Format::Json => {
                let text = serde_json::to_string_pretty(document).map_err(unwritable)?;
                let before = if is_first { "[" } else { "," };
                line(before)?;
                // Within an indented document, only whitespace begins a line.
                let indented: Vec<String> = text.lines().map(|text| format!("  {text}")).collect();
                line(&indented.join("\n"))
            }
            Format::Jsonl => jsonl(document),
            Format::Yaml => yaml::item(document),
            Format::Name => line(&document.name()),
        }
    }

    fn header(&self) -> Result<()> {
        line(&self.columns.titles.join("\t"))
    }

    /// The end of the list; answers how many there were.
    pub fn finish(self) -> Result<u64> {
        match (&self.rows, self.format) {
            (Some(rows), _) => {
                let (table, left_out) = self.columns.fitted(rows);
                line(&table)?;
                tell_left_out(left_out);
            }
            (None, Format::Table | Format::Wide) if self.written == 0 => self.header()?,
            (None, Format::Json | Format::Yaml) if self.written == 0 => line("[]")?,
            (None, Format::Json) => line("]")?,
            (None, Format::Table | Format::Wide | Format::Jsonl | Format::Yaml | Format::Name) => {}
        }
        Ok(self.written)
    }
}

/// Writes fields below each other: aligned for people and without those that are empty, tab-separated for programs.
pub fn fields(form: Form<'_>, fields: Vec<(&'static str, Cell)>) -> Result<()> {
    let is_drawn = io::stdout().is_terminal();
    let titles: Vec<&str> = fields.iter().map(|(title, _)| *title).collect();
    let places = form.choose(&titles)?;
    let (titles, cells): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let titles = places.iter().map(|place| titles[*place]);
    let rows: Vec<Vec<Cell>> = titles
        .zip(at(&places, cells))
        .filter(|(_, value)| !is_drawn || *value != Cell::Empty)
        .map(|(title, value)| vec![Cell::from(title), value])
        .collect();
    if is_drawn {
        let now = now();
        let tell = |cell: &Cell| Shown::of(cell, cell.told(now));
        let rows = rows.iter().map(|row| row.iter().map(tell).collect());
        line(&drawn(&[], rows.collect()))
    } else {
        rows.iter().try_for_each(|row| tabbed(row))
    }
}

fn tabbed(cells: &[Cell]) -> Result<()> {
    let cells: Vec<String> = cells.iter().map(Cell::plain).collect();
    line(&cells.join("\t"))
}

fn drawn(header: &[&str], rows: Vec<Vec<Shown>>) -> String {
    let is_coloured = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let mut table = borderless();
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    for row in rows {
        table.add_row(row.into_iter().map(|shown| {
            let drawn = comfy_table::Cell::new(shown.text);
            match shown.colour.filter(|_| is_coloured) {
                Some(colour) => drawn.fg(painted(colour)),
                None => drawn,
            }
        }));
    }
    let lines = table.trim_fmt();
    let lines: Vec<String> = lines.lines().map(without_painted_end).collect();
    lines.join("\n")
}

/// A line without the spaces that a coloured value at its end was filled up with: they would break it on a terminal that
/// is narrower than another row.
fn without_painted_end(line: &str) -> String {
    const UNPAINTED: &str = "\u{1b}[39m";
    match line.strip_suffix(UNPAINTED) {
        Some(painted) => format!("{}{UNPAINTED}", painted.trim_end_matches(' ')),
        None => line.to_owned(),
    }
}

fn painted(colour: AnsiColor) -> Color {
    match colour {
        AnsiColor::Green => Color::DarkGreen,
        AnsiColor::Cyan => Color::DarkCyan,
        AnsiColor::Yellow => Color::DarkYellow,
        AnsiColor::Red => Color::Red,
        AnsiColor::BrightBlack => Color::DarkGrey,
        _ => Color::Reset,
    }
}

/// A table of figures, the columns that hold numbers right-aligned.
pub fn figures(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = borderless();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let is_numbers: Vec<bool> = (0..columns)
        .map(|at| {
            rows.iter()
                .filter_map(|row| row.get(at))
                .all(|text| is_number(text))
        })
        .collect();
    let cell = |(at, text): (usize, String)| {
        let alignment = match is_numbers.get(at) {
            Some(true) => CellAlignment::Right,
            Some(false) | None => CellAlignment::Left,
        };
        comfy_table::Cell::new(text).set_alignment(alignment)
    };
    if !header.is_empty() {
        let titles = header.iter().map(|title| (*title).to_owned());
        table.set_header(titles.enumerate().map(cell).collect::<Vec<_>>());
    }
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(cell).collect::<Vec<_>>());
    }
    table.trim_fmt()
}

/// Whether a text is a number with its unit at most, such as `1,482`, `87.6 kB` or `77 records`.
fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && text.split(' ').count() <= 2
}

fn borderless() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table
}

/// A status as the API writes it.
pub fn word<T: Serialize>(status: T) -> String {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coloured_value_at_the_end_is_not_filled_up() {
        let line = " STATUS  \u{1b}[38;5;2m completed    \u{1b}[39m";
        assert_eq!(
            without_painted_end(line),
            " STATUS  \u{1b}[38;5;2m completed\u{1b}[39m"
        );
        assert_eq!(without_painted_end(" NAME  x"), " NAME  x");
    }
}
