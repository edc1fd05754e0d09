use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::*;

fn sniff(bytes: &[u8], parameters: Value) -> Result<(Facts, String), String> {
    let options =
        Options::from_parameters(Parameters(&parameters)).map_err(|error| error.to_string())?;
    let reader = Box::new(Cursor::new(bytes.to_vec()));
    let mut opened = open(reader, "file", &options).map_err(|error| error.to_string())?;
    let mut text = String::new();
    opened
        .reader
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    Ok((opened.facts, text))
}

fn format(text: &str) -> Format {
    sniff(text.as_bytes(), json!({})).unwrap().0.format
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn formats_are_told_apart_by_content() {
    assert_eq!(format("question,answer\n"), Format::Csv);
    assert_eq!(format("\n [{\"a\": 1}]"), Format::Json);
    assert_eq!(format("{\"a\": 1}\n{\"a\": 2}\n"), Format::Jsonl);
    assert_eq!(format("{\"a\": 1}"), Format::Jsonl);
    assert_eq!(format("{\"data\": [1]}"), Format::Json);
    assert_eq!(format("{\n \"meta\": 1,\n \"data\": [1]\n}"), Format::Json);
    let long_line = "x".repeat(SNIFF_BYTES);
    assert_eq!(
        format(&format!("{{\"data\": [\"{long_line}\"]}}")),
        Format::Json
    );
    assert_eq!(
        format(&format!("{{\"text\": \"{long_line}\"}}\n")),
        Format::Jsonl
    );
}

#[test]
fn the_delimiter_is_the_one_the_header_uses() {
    let delimiter = |text: &str| sniff(text.as_bytes(), json!({})).unwrap().0.delimiter;
    assert_eq!(delimiter("a,b;c,d\n"), Some(b','));
    assert_eq!(delimiter("a;\"b,,,\";c\n1,2,3,4,5"), Some(b';'));
    assert_eq!(delimiter("a\tb\n"), Some(b'\t'));
    assert_eq!(delimiter("single\n"), Some(b','));
    assert_eq!(
        sniff(b"a,b|c\n", json!({"delimiter": "|"}))
            .unwrap()
            .0
            .delimiter,
        Some(b'|')
    );
}

#[test]
fn byte_order_marks_decide_and_are_removed() {
    let (facts, text) = sniff(b"\xef\xbb\xbfa,b\n", json!({})).unwrap();
    assert_eq!((facts.encoding, text.as_str()), ("UTF-8", "a,b\n"));
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("a,é\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let (facts, text) = sniff(&utf16, json!({})).unwrap();
    assert_eq!((facts.encoding, text.as_str()), ("UTF-16LE", "a,é\n"));
}

#[test]
fn a_wrong_encoding_is_told_with_its_place_and_the_way_out() {
    let error = sniff(b"question,answer\ncaf\xe9,na\xefve\n", json!({})).unwrap_err();
    assert!(
        error.contains("byte 19 (0xe9)") && error.contains("café"),
        "{error}"
    );
    assert!(
        error.contains("{\"encoding\": \"windows-1252\"}"),
        "{error}"
    );
    let (_, text) = sniff(
        b"question,answer\ncaf\xe9,x\n",
        json!({"encoding": "windows-1252"}),
    )
    .unwrap();
    assert!(text.contains("café"));
    let utf16: Vec<u8> = "question,answer\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = sniff(&utf16, json!({})).unwrap_err();
    assert!(error.contains("utf-16le"), "{error}");
    let error = sniff(b"a", json!({"encoding": "klingon"})).unwrap_err();
    assert!(error.contains("`klingon`"), "{error}");
}

#[test]
fn one_damaged_character_in_a_utf8_file_does_not_condemn_it() {
    let (facts, _) = sniff("é,ü\nß\u{2019},x\n".as_bytes(), json!({})).unwrap();
    assert_eq!(facts.encoding, "UTF-8");
    let options = Options::default();
    let mut bytes = "é,ü,ß\n".as_bytes().to_vec();
    bytes.push(0xe9);
    assert!(open(Box::new(Cursor::new(bytes)), "file", &options).is_ok());
}

#[test]
fn a_character_cut_by_the_window_is_not_an_error() {
    let text = format!("{}é,x\n", "a".repeat(SNIFF_BYTES - 1));
    assert_eq!(sniff(text.as_bytes(), json!({})).unwrap().1, text);
}

#[test]
fn gzip_is_unpacked_and_a_cut_off_archive_is_a_damaged_file() {
    let packed = gzip(b"a,b\n1,2\n");
    let (facts, text) = sniff(&packed, json!({})).unwrap();
    assert_eq!((facts.compression, text.as_str()), ("gzip", "a,b\n1,2\n"));
    let error = sniff(&packed[..packed.len() - 9], json!({})).unwrap_err();
    assert!(error.contains("damaged"), "{error}");
    let mut wrong = packed.clone();
    wrong[12] ^= 0xff;
    assert!(sniff(&wrong, json!({})).is_err());
}

#[test]
fn files_that_are_no_text_are_named() {
    for (bytes, what) in [
        (&b"PK\x03\x04rest"[..], "Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"a,b\x00c\n", "byte 3 is zero"),
    ] {
        let error = sniff(bytes, json!({})).unwrap_err();
        assert!(error.contains(what), "{error}");
    }
    assert!(sniff(b"", json!({})).unwrap_err().contains("is empty"));
}
