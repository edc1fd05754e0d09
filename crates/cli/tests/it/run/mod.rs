//! The main job, as the README shows it.

mod bad_input;
mod interrupted;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{run_in, said, sample};

/// The files of a folder with their bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// What the sample becomes with a seed, in `folder`.
pub fn uninterrupted(folder: &Path, name: &str, seed: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let output = run_in(
        folder,
        [
            "run".as_ref(),
            sample().as_os_str(),
            "--out".as_ref(),
            name.as_ref(),
            "--seed".as_ref(),
            seed.as_ref(),
        ],
    );
    assert!(output.status.success(), "{}", said(&output));
    files(&folder.join(name))
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn dataset(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<Vec<String>> {
    ["train", "validation", "test"]
        .iter()
        .map(|split| {
            lines(&files[&PathBuf::from(format!("dataset/{split}.jsonl"))])
                .iter()
                .map(|record| record["id"].as_str().unwrap().to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn the_readmes_command_leaves_a_dataset_whose_counts_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let files = uninterrupted(folder.path(), "out", "7");
    let report: Value = serde_json::from_slice(&files[Path::new("report.json")]).unwrap();

    let mut handed_on = None;
    let mut missing = 0;
    for stage in report["stages"].as_array().unwrap() {
        let (records_in, records_out) = (
            stage["records_in"].as_u64().unwrap(),
            stage["records_out"].as_u64().unwrap(),
        );
        let dropped: u64 = stage["dropped"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum();
        assert_eq!(records_in, records_out + dropped, "{stage}");
        assert!(
            handed_on.is_none_or(|before| before == records_in),
            "{stage}"
        );
        handed_on = Some(records_out);
        missing += dropped;
    }
    let told: usize = files
        .iter()
        .filter(|(name, _)| name.starts_with("rejects") || name.starts_with("drops"))
        .map(|(_, bytes)| lines(bytes).len())
        .sum();
    assert_eq!(
        told as u64, missing,
        "every record that is not in the dataset is told of"
    );
    let records: usize = dataset(&files).iter().map(Vec::len).sum();
    assert_eq!(Some(records as u64), handed_on);
    assert!(records > 50);

    let page = String::from_utf8(files[Path::new("report.html")].clone()).unwrap();
    assert!(page.contains("<svg"));
    assert!(
        !folder.path().join("out/.mcpanel").exists(),
        "the raw data is gone"
    );
    let summed = String::from_utf8(files[Path::new("checksums.sha256")].clone()).unwrap();
    for (name, bytes) in files
        .iter()
        .filter(|(name, _)| !name.ends_with("checksums.sha256"))
    {
        let mut sha = mcpanel_client::transfer::Sha256Hex::default();
        sha.update(bytes);
        let line = format!("{}  {}", sha.finish(), name.display());
        assert!(summed.lines().any(|known| known == line), "{line}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_another_split() {
    let folder = tempfile::tempdir().unwrap();
    let first = uninterrupted(folder.path(), "first", "7");
    let again = uninterrupted(folder.path(), "again", "7");
    let other = uninterrupted(folder.path(), "other", "8");
    assert!(first == again, "the same seed gives the same bytes");

    let (first, other) = (dataset(&first), dataset(&other));
    assert_ne!(first, other);
    let all = |splits: &[Vec<String>]| {
        let mut ids: Vec<String> = splits.concat();
        ids.sort();
        ids
    };
    assert_eq!(
        all(&first),
        all(&other),
        "a seed decides where a record goes, not whether"
    );
}

#[test]
fn the_summary_goes_to_stderr_and_the_folder_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample();
    let arguments = ["run", sample.to_str().unwrap(), "--out", "out"];
    let output = run_in(folder.path(), arguments);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(String::from_utf8(output.stdout.clone()).unwrap(), "out\n");
    let said = said(&output);
    for word in [
        "API at http://127.0.0.1:",
        "stage 6/6 output_generation",
        "dataset/train.jsonl",
        "out/report.html",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(
        !said.contains('\u{1b}'),
        "no colours where nobody sees them"
    );
}

#[test]
fn with_json_asked_for_stdout_is_one_document() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample();
    let arguments = [
        "run",
        sample.to_str().unwrap(),
        "--out",
        "out",
        "-o",
        "json",
    ];
    let output = run_in(folder.path(), arguments);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["stages"].as_array().unwrap().len(), 6);
    assert!(summary["records_out"].as_u64() < summary["records_in"].as_u64());
    assert!(
        summary["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|file| file["path"] == "report.html")
    );
}
