use std::io::BufReader;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn elements(text: &str, bytes_max: usize) -> Result<Vec<(u64, String)>, String> {
    let mut reader = JsonArrayReader::new(BufReader::with_capacity(5, text.as_bytes()), bytes_max);
    let mut found = Vec::new();
    loop {
        let (bytes, tag) = match reader.next_element() {
            Ok(None) => return Ok(found),
            Ok(Some(Element::Whole(bytes))) => (bytes.to_vec(), ""),
            Ok(Some(Element::TooLarge(bytes))) => (bytes.to_vec(), "…"),
            Err(ReadError::Bad(error)) => return Err(error.to_string()),
            Err(ReadError::Io(error)) => panic!("{error}"),
        };
        found.push((
            reader.element_line(),
            String::from_utf8(bytes).unwrap() + tag,
        ));
    }
}

#[test]
fn splits_an_array_with_the_line_of_each_element() {
    let found = elements("[\n{\"a\": \"]}\\\"\"},\n 7 , \"x\",\n[[]]\n]", 100).unwrap();
    let expected = [
        (2, "{\"a\": \"]}\\\"\"}"),
        (3, "7"),
        (3, "\"x\""),
        (4, "[[]]"),
    ];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn finds_the_array_in_an_object_behind_other_members() {
    let found = elements(r#"{"version": {"data": [9]}, "n": 1, "Data": [1, 2]}"#, 100).unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn an_object_without_an_array_names_what_it_found() {
    let error = elements(r#"{"name": "x", "rows": 3}"#, 100).unwrap_err();
    assert!(error.contains("`name`, `rows`"), "{error}");
    assert!(error.contains("`data`"), "{error}");
}

#[test]
fn an_element_beyond_the_bound_is_cut_and_the_next_is_read() {
    let found = elements("[\"0123456789\", 2]", 5).unwrap();
    assert_eq!(found, [(1, "\"0123…".to_owned()), (1, "2".to_owned())]);
}

#[test]
fn a_cut_off_file_and_a_missing_comma_say_where() {
    let error = elements("[{\"a\": 1},\n{\"a\": ", 100).unwrap_err();
    assert!(
        error.contains("line 2") && error.contains("cut off"),
        "{error}"
    );
    let error = elements("[{\"a\": 1}\n{\"a\": 2}]", 100).unwrap_err();
    assert!(error.contains("line 2") && error.contains("`,`"), "{error}");
}

#[test]
fn nesting_of_a_hundred_thousand_levels_is_only_counted() {
    let deep = format!("[{}{}, 1]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(elements(&deep, 1000).unwrap().len(), 2);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[a\\\\\"\\[\\]{},: \n]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever the elements are, they come out one by one as they went in.
    #[test]
    fn every_element_of_any_array_comes_out_whole(values in prop::collection::vec(json_value(), 0..6), pretty: bool) {
        let array = Value::from(values.clone());
        let text = if pretty { format!("{array:#}") } else { array.to_string() };
        let found: Vec<Value> = elements(&text, 10_000)
            .unwrap()
            .iter()
            .map(|(_, text)| serde_json::from_str(text).unwrap())
            .collect();
        prop_assert_eq!(found, values);
    }
}
