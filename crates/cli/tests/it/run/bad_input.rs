//! Files that cannot be worked on: one clear sentence, exit code 1, and nothing left behind.

use std::{fs, io::Write, path::Path};

use crate::support::{run_in, said};

/// Runs over a file with these bytes; the last things said, without what differs from run to run.
fn refused(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let output = run_in(folder.path(), ["run", name, "--out", "out"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(output.stdout.is_empty());
    assert!(!folder.path().join("out").exists(), "nothing is left");
    error_of(&said(&output))
}

fn error_of(said: &str) -> String {
    let start = said
        .find("error: ")
        .unwrap_or_else(|| panic!("no error: {said}"));
    said[start..].trim_end().to_owned()
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), ["run", "nope.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "error: cannot read `nope.csv`: there is no such file\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_instead_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let output = run_in(folder.path(), ["run", "data"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "error: cannot read `data`: it is a folder; name a file in it\n"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.csv");
    fs::write(&path, "question,answer\na,b\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        // Whoever may read everything (root) cannot be refused.
        return;
    }
    let output = run_in(folder.path(), ["run", "secret.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "error: cannot read `secret.csv`: permission denied\n"
    );
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(refused("a.csv", b""), @"error: cannot read `a.csv`: it is empty");
}

#[test]
fn a_csv_without_the_columns_that_are_needed() {
    insta::assert_snapshot!(refused("a.csv", b"name,age\nAda,36\n"));
}

#[test]
fn a_file_that_is_no_text() {
    insta::assert_snapshot!(refused("a.csv", b"PNG\x00\x01\x02\x00\x00\x00"));
}

#[test]
fn a_gzip_file_that_was_cut_off() {
    let mut gzip = flate2_of("question,answer\n", 2_000);
    gzip.truncate(gzip.len() / 2);
    insta::assert_snapshot!(refused("a.csv.gz", &gzip));
}

#[test]
fn a_mapping_to_a_column_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "q,a\nWhy?,Because.\n").unwrap();
    let arguments = [
        "run",
        "a.csv",
        "--mapping",
        "question=q",
        "--mapping",
        "answer=reply",
    ];
    let output = run_in(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(error_of(&said(&output)));
    assert!(!folder.path().join("mcpanel-out").exists());
}

#[test]
fn a_mapping_that_is_written_wrongly_is_a_wrong_command_line() {
    let output = run_in(Path::new("."), ["run", "a.csv", "--mapping", "question"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("it is written like `question=post`"));
}

/// Rows as a gzip file.
fn flate2_of(header: &str, rows: usize) -> Vec<u8> {
    let mut text = header.to_owned();
    for row in 0..rows {
        text.push_str(&format!("question number {row}?,an answer to it\n"));
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
