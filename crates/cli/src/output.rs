//! How commands speak: data on standard output, everything else on standard error; tables for
//! people, JSON for scripts.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people; tab-separated and uncut when it goes to a pipe.
    Table,
    /// One JSON document: the API's own objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Ids only, one a line.
    Name,
}

/// A column of a table.
pub struct Column<T> {
    /// What stands above it.
    pub title: &'static str,
    /// What stands in it.
    pub cell: fn(&T) -> String,
}

/// Writes a list as `format` says. `id` is what `name` shows.
pub fn list<T: Serialize>(
    format: Format,
    items: &[T],
    columns: &[Column<T>],
    id: fn(&T) -> String,
) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(items)?)?,
        Format::Jsonl => {
            for item in items {
                writeln!(out, "{}", serde_json::to_string(item)?)?;
            }
        }
        Format::Name => {
            for item in items {
                writeln!(out, "{}", id(item))?;
            }
        }
        Format::Table if std::io::stdout().is_terminal() => {
            writeln!(out, "{}", table(items, columns))?;
        }
        Format::Table => {
            let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
            writeln!(out, "{}", titles.join("\t"))?;
            for item in items {
                let cells: Vec<String> = columns
                    .iter()
                    .map(|column| (column.cell)(item).replace(['\t', '\n'], " "))
                    .collect();
                writeln!(out, "{}", cells.join("\t"))?;
            }
        }
    }
    Ok(())
}

/// Writes one thing as `format` says; a table shows its columns one below the other.
pub fn one<T: Serialize>(
    format: Format,
    item: &T,
    columns: &[Column<T>],
    id: fn(&T) -> String,
) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(item)?)?,
        Format::Jsonl => writeln!(out, "{}", serde_json::to_string(item)?)?,
        Format::Name => writeln!(out, "{}", id(item))?,
        Format::Table => {
            let width = columns.iter().map(|column| column.title.len()).max().unwrap_or(0);
            for column in columns {
                let value = (column.cell)(item);
                if !value.is_empty() {
                    writeln!(out, "{:width$}  {value}", column.title)?;
                }
            }
        }
    }
    Ok(())
}

fn table<T>(items: &[T], columns: &[Column<T>]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.title));
    for item in items {
        table.add_row(columns.iter().map(|column| (column.cell)(item)));
    }
    table
}

/// Says what went wrong, with its causes, in one plain paragraph on standard error.
pub fn complain(error: &anyhow::Error) {
    let mut err = anstream::stderr().lock();
    let red = anstyle::AnsiColor::Red.on_default().bold();
    // Nobody is left to be told when standard error is closed.
    let _ = write!(err, "{red}error:{red:#} {error}");
    for cause in error.chain().skip(1) {
        let _ = write!(err, ": {cause}");
    }
    let _ = writeln!(err);
}

/// A remark for people, on standard error.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
