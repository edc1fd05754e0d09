//! Lists: a table on a terminal, tab-separated text otherwise, or the API's own documents.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use comfy_table::{CellAlignment, Color, Table};
use serde::Serialize;

use super::{
    cell::{Cell, now},
    json, jsonl, line, unwritable,
};
use crate::{Result, arguments::Format};

/// A document that can be a row.
pub trait Row: Serialize {
    /// The titles of the columns.
    const HEADER: &'static [&'static str];

    /// Its id.
    fn name(&self) -> String;

    /// The values of the columns.
    fn cells(&self) -> Vec<Cell>;

    /// What is shown of it alone: more than a row has room for.
    fn details(&self) -> Vec<(&'static str, Cell)> {
        Self::HEADER.iter().copied().zip(self.cells()).collect()
    }
}

/// Writes documents to stdout.
pub fn many<T: Row>(format: Format, documents: &[T]) -> Result<()> {
    let mut listing = Listing::new(format);
    listing.add(documents)?;
    listing.finish().map(|_| ())
}

/// Writes one document to stdout: on a terminal its fields below each other.
pub fn one<T: Row>(format: Format, document: &T) -> Result<()> {
    match format {
        Format::Table => fields(document.details()),
        Format::Json => json(document),
        Format::Jsonl => jsonl(document),
        Format::Name => line(&document.name()),
    }
}

/// Documents on their way to stdout, page by page, so that a long list needs no memory: only a table on a terminal
/// waits for its end, because its widths depend on all rows.
pub struct Listing<T> {
    format: Format,
    rows: Option<Vec<Vec<Cell>>>,
    written: u64,
    documents: std::marker::PhantomData<fn(&T)>,
}

impl<T: Row> Listing<T> {
    /// An empty list.
    pub fn new(format: Format) -> Self {
        let is_drawn = format == Format::Table && io::stdout().is_terminal();
        Self {
            format,
            rows: is_drawn.then(Vec::new),
            written: 0,
            documents: std::marker::PhantomData,
        }
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
            rows.push(document.cells());
            return Ok(());
        }
        match self.format {
            Format::Table => {
                if is_first {
                    line(&T::HEADER.join("\t"))?;
                }
                tabbed(&document.cells())
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
            Format::Name => line(&document.name()),
        }
    }

    /// The end of the list; answers how many there were.
    pub fn finish(self) -> Result<u64> {
        match (&self.rows, self.format) {
            (Some(rows), _) => draw(T::HEADER, rows, Cell::shown)?,
            (None, Format::Table) if self.written == 0 => line(&T::HEADER.join("\t"))?,
            (None, Format::Json) if self.written == 0 => line("[]")?,
            (None, Format::Json) => line("]")?,
            (None, Format::Table | Format::Jsonl | Format::Name) => {}
        }
        Ok(self.written)
    }
}

/// Writes fields below each other: aligned for people and without those that are empty, tab-separated for programs.
pub fn fields(fields: Vec<(&'static str, Cell)>) -> Result<()> {
    let is_drawn = io::stdout().is_terminal();
    let rows: Vec<Vec<Cell>> = fields
        .into_iter()
        .filter(|(_, value)| !is_drawn || *value != Cell::Empty)
        .map(|(title, value)| vec![Cell::from(title), value])
        .collect();
    if is_drawn {
        draw(&[], &rows, Cell::told)
    } else {
        rows.iter().try_for_each(|row| tabbed(row))
    }
}

fn tabbed(cells: &[Cell]) -> Result<()> {
    let cells: Vec<String> = cells.iter().map(Cell::plain).collect();
    line(&cells.join("\t"))
}

fn draw(
    header: &[&str],
    rows: &[Vec<Cell>],
    shown: fn(&Cell, mcpanel_api::Timestamp) -> String,
) -> Result<()> {
    let now = now();
    let is_coloured = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let mut table = borderless();
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| {
            let drawn = comfy_table::Cell::new(shown(cell, now));
            match cell.colour().filter(|_| is_coloured) {
                Some(colour) => drawn.fg(painted(colour)),
                None => drawn,
            }
        }));
    }
    line(&table.trim_fmt())
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
