use std::io::BufReader;

use proptest::prelude::*;

use super::*;

type Rows = Vec<(u64, Vec<String>, Ended)>;

fn read(text: &[u8], delimiter: u8, bytes_max: usize, buffer: usize) -> Rows {
    let reader = BufReader::with_capacity(buffer, text);
    let mut rows = DelimitedReader::new(reader, delimiter, bytes_max);
    let mut row = DelimitedRow::default();
    let mut found = Vec::new();
    while let Some(ended) = rows.read(&mut row).unwrap() {
        let fields = row
            .fields()
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect();
        found.push((row.line, fields, ended));
    }
    found
}

fn whole(line: u64, fields: &[&str]) -> (u64, Vec<String>, Ended) {
    (
        line,
        fields.iter().map(|&field| field.to_owned()).collect(),
        Ended::Whole,
    )
}

#[test]
fn quotes_hold_delimiters_line_ends_and_quotes() {
    let rows = read(b"a,b\r\n\"1,\"\"x\"\"\r\n2\",y\n\nz,\n", b',', 100, 2);
    let expected = [
        whole(1, &["a", "b"]),
        whole(2, &["1,\"x\"\r\n2", "y"]),
        whole(5, &["z", ""]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_forgotten_quote_is_told_with_the_line_where_it_began() {
    let rows = read(b"a,b\n1,\"oops\n3,4\n", b',', 100, 8);
    assert_eq!(rows[1].0, 2);
    assert_eq!(rows[1].2, Ended::UnclosedQuote);
}

#[test]
fn a_row_beyond_the_bound_keeps_its_beginning_and_the_next_row_is_read() {
    let rows = read(b"a,b\n123456789,x\n3,4\n", b',', 6, 4);
    assert_eq!(rows[1].2, Ended::TooLarge);
    assert_eq!(rows[1].1[0], "123456");
    assert_eq!(rows[2], whole(3, &["3", "4"]));
}

#[test]
fn a_row_with_endless_columns_is_too_large() {
    let text = ",".repeat(COLUMNS_MAX + 10);
    let rows = read(text.as_bytes(), b',', 100, 64);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].2, Ended::TooLarge);
    assert_eq!(rows[0].1.len(), COLUMNS_MAX + 1);
}

proptest! {
    /// The `csv` crate is the oracle: on any text the two readers agree.
    #[test]
    fn agrees_with_the_csv_library(text in "[ab,;\"\r\n]{0,60}", buffer in 1usize..16) {
        let mut oracle = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = oracle
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let found: Vec<Vec<String>> = read(text.as_bytes(), b',', 1000, buffer)
            .into_iter()
            .map(|(_, fields, _)| fields)
            .collect();
        prop_assert_eq!(found, expected);
    }
}
