use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::local::{LocalJob, file_input};

struct Ran {
    result: Result<Summary, StageError>,
    directory: TempDir,
}

impl Ran {
    fn records(&self) -> Vec<RawRecord> {
        let mut names: Vec<PathBuf> = fs::read_dir(self.directory.path().join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("chunk-")
            })
            .collect();
        names.sort();
        names
            .iter()
            .flat_map(|path| {
                fs::read_to_string(path)
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }

    fn rejects(&self) -> Vec<(u64, u64, String)> {
        fs::read_to_string(self.directory.path().join("out/rejects.jsonl"))
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Reject>(line).unwrap())
            .map(|reject| (reject.row, reject.line, reject.reasons[0].code.clone()))
            .collect()
    }

    fn error(&self) -> &StageError {
        self.result.as_ref().expect_err("the file is wrong")
    }
}

fn ingest(bytes: &[u8], parameters: Value) -> Ran {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("data");
    fs::write(&file, bytes).unwrap();
    let input = file_input(&file).unwrap();
    let job = LocalJob::new(vec![input], directory.path().join("out"), 1, 0, parameters).unwrap();
    let result = DataIngestion.run(&job);
    Ran { result, directory }
}

const CSV: &str = "questionID,questionTitle,questionText,topics,therapistName,answerText,upvotes\n\
    q1,Title,Why?,\"Anxiety,Grief, Anxiety\",Ada Example,Because.,3\n\
    q2,,How?,,Sam Placeholder,\"Two\nlines\",\n";

#[test]
fn a_csv_file_becomes_records_with_provenance() {
    let ran = ingest(CSV.as_bytes(), json!({}));
    let records = ran.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].topics, ["Anxiety", "Grief"]);
    assert_eq!(records[0].people, ["Ada Example"]);
    assert_eq!((records[0].upvotes, records[1].upvotes), (Some(3), None));
    assert_eq!((records[1].source.row, records[1].source.line), (2, 3));
    assert_eq!(records[1].answer, "Two\nlines");
    assert_ne!(records[0].id, records[1].id);
    let summary = ran.result.unwrap();
    assert_eq!(summary["records_in"], 2);
    assert_eq!(summary["files"][0]["format"], "csv");
    assert_eq!(
        summary["files"][0]["columns"]["question"],
        json!(["questionText"])
    );
}

#[test]
fn the_same_rows_in_every_format_give_the_same_texts() {
    let json = r#"[{"questionText": "Why?", "answerText": "Because."}, {"questionText": "How?", "answerText": "So."}]"#;
    let jsonl = "{\"questionText\": \"Why?\", \"answerText\": \"Because.\"}\n\n{\"questionText\": \"How?\", \"answerText\": \"So.\"}\n";
    let files = [
        "questionText;answerText\nWhy?;Because.\nHow?;So.\n".to_owned(),
        "questionText\tanswerText\r\nWhy?\tBecause.\r\nHow?\tSo.".to_owned(),
        json.to_owned(),
        format!("{{\"version\": 1, \"data\": {json}}}"),
        jsonl.to_owned(),
    ];
    for file in files {
        let texts: Vec<_> = ingest(file.as_bytes(), json!({}))
            .records()
            .into_iter()
            .map(|record| (record.question, record.answer))
            .collect();
        let expected =
            [("Why?", "Because."), ("How?", "So.")].map(|(q, a)| (q.to_owned(), a.to_owned()));
        assert_eq!(texts, expected, "{file}");
    }
}

#[test]
fn bad_rows_are_rejected_with_row_line_and_reason_and_the_others_go_on() {
    let mut file = b"question,answer\nWhy\xc3\xa9?,Because.\nonly one\n,no question\nno answer,  \nbad \xff byte,x\n".to_vec();
    file.extend(b"Fine?,\"Yes,\nindeed.\"\nopen,\"never closed\n");
    let ran = ingest(&file, json!({}));
    assert_eq!(ran.records().len(), 2);
    let expected = [
        (2, 3, "column_count"),
        (3, 4, "empty_question"),
        (4, 5, "empty_answer"),
        (5, 6, "invalid_utf8"),
        (7, 9, "unclosed_quote"),
    ];
    assert_eq!(
        ran.rejects(),
        expected.map(|(row, line, code)| (row, line, code.to_owned()))
    );
    let summary = ran.result.unwrap();
    assert_eq!(
        (&summary["records_in"], &summary["records_out"]),
        (&json!(7), &json!(2))
    );
}

#[test]
fn json_rows_that_are_no_records_are_rejected_one_by_one() {
    let file = r#"[{"q": "Why?", "answer": "Because."}, 7, {"q": "x", "answer": ["list"]}, {"q": "", "answer": ""}]"#;
    let ran = ingest(file.as_bytes(), json!({"mapping": {"question": "q"}}));
    assert_eq!(ran.records().len(), 1);
    let codes: Vec<_> = ran.rejects().into_iter().map(|(_, _, code)| code).collect();
    assert_eq!(codes, ["bad_json", "unexpected_type", "empty_question"]);
}

#[test]
fn a_record_nested_a_hundred_thousand_deep_is_a_reject() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let file = format!(
        "{{\"question\": \"Why?\", \"answer\": \"So.\"}}\n{{\"question\": {deep}, \"answer\": \"x\"}}\n"
    );
    let ran = ingest(file.as_bytes(), json!({}));
    assert_eq!(ran.records().len(), 1);
    assert_eq!(ran.rejects()[0].2, "bad_json");
}

#[test]
fn a_record_beyond_the_bound_is_a_reject_and_the_next_is_read() {
    let large = "x".repeat(RECORD_BYTES_MAX + 1);
    let ran = ingest(
        format!("question,answer\nBig?,{large}\nSmall?,Yes.\n").as_bytes(),
        json!({}),
    );
    assert_eq!(ran.records().len(), 1);
    assert_eq!(ran.rejects()[0].2, "record_too_large");
}

#[test]
fn files_that_cannot_be_read_fail_without_retry_and_say_what_would_be_right() {
    let utf16: Vec<u8> = "question,answer\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: [(&[u8], &str, &str); 9] = [
        (b"", "empty_file", "is empty"),
        (b"\n\n\n", "empty_file", "only empty lines"),
        (b"PK\x03\x04", "unsupported_format", "zip"),
        (b"name,age\nx,1\n", "missing_columns", "`name`, `age`"),
        (b"question,answer\n", "no_records", "no rows"),
        (
            b"question,answer\n,\n",
            "no_records",
            "all 1 rows were refused",
        ),
        (b"[{\"question\": \"a\"", "broken_json", "cut off"),
        (
            b"question,answer\ncaf\xe9,x\n",
            "wrong_encoding",
            "windows-1252",
        ),
        (&utf16, "wrong_encoding", "utf-16le"),
    ];
    for (bytes, code, words) in cases {
        let ran = ingest(bytes, json!({}));
        let error = ran.error();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.error_type().as_str(), "validation");
    }
}

#[test]
fn jsonl_without_the_needed_members_names_those_found() {
    let ran = ingest(b"{\"foo\": 1, \"bar\": 2}\n", json!({}));
    let text = ran.error().to_string();
    assert!(
        text.contains("`bar`, `foo`") && text.contains("mapping"),
        "{text}"
    );
}

#[test]
fn a_file_mostly_in_another_encoding_is_told_even_behind_the_first_window() {
    let mut file = b"question,answer\n".to_vec();
    while file.len() < sniff::SNIFF_BYTES {
        file.extend("Why is it so?,It is so because it is so.\n".bytes());
    }
    let rows = file.iter().filter(|byte| **byte == b'\n').count();
    for _ in 0..rows {
        file.extend(b"Pourquoi \xe9tudier?,\xc7a va.\n");
    }
    assert_eq!(ingest(&file, json!({})).error().code(), "wrong_encoding");
}

#[test]
fn chunks_hold_the_number_of_records_asked_for() {
    let rows: String = (0..25)
        .map(|number| format!("Why {number}?,Because {number}.\n"))
        .collect();
    let ran = ingest(
        format!("question,answer\n{rows}").as_bytes(),
        json!({"chunk_records": 10}),
    );
    assert_eq!(ran.records().len(), 25);
    assert_eq!(ran.result.unwrap()["chunks"], 3);
}

#[test]
fn wrong_parameters_are_told_by_name() {
    for (parameters, name) in [
        (json!({"chunk_records": 0}), "chunk_records"),
        (json!({"format": "xml"}), "format"),
        (json!({"delimiter": ";;"}), "delimiter"),
        (json!({"mapping": {"question": 7}}), "mapping"),
    ] {
        let ran = ingest(CSV.as_bytes(), parameters);
        assert_eq!(ran.error().code(), "bad_parameter");
        assert!(ran.error().to_string().contains(name));
    }
}

#[test]
fn a_cancelled_task_stops_and_a_failing_disk_is_retried() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("data.csv");
    fs::write(&file, CSV).unwrap();
    let input = file_input(&file).unwrap();
    let job = LocalJob::new(vec![input], directory.path().join("out"), 1, 0, json!({})).unwrap();
    job.cancel();
    assert!(matches!(
        DataIngestion.run(&job),
        Err(StageError::Cancelled)
    ));

    let input = file_input(&file).unwrap();
    let job = LocalJob::new(vec![input], directory.path().join("again"), 1, 0, json!({})).unwrap();
    fs::remove_file(&file).unwrap();
    let error = DataIngestion.run(&job).unwrap_err();
    assert_eq!(error.error_type().as_str(), "system");
}
