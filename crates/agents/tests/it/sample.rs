//! The sample of the repository goes through all six stages and shows every kind of trouble it was written for.

use std::{fs, path::PathBuf};

use mcpanel_agents::local::run_local;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn the_sample_becomes_a_dataset_and_every_trouble_in_it_is_named() {
    let directory = TempDir::new().unwrap();
    let file =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/counselling-sample.csv");
    let run = run_local(&file, directory.path(), 42).unwrap();
    let report: Value =
        serde_json::from_str(&fs::read_to_string(run.output.join("report.json")).unwrap()).unwrap();

    let dropped: Vec<&str> = report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|stage| stage["dropped"].as_object().unwrap().keys())
        .map(String::as_str)
        .collect();
    for reason in [
        "empty_question",
        "empty_answer",
        "column_count",
        "exact_duplicate",
        "near_duplicate",
        "language",
        "answer_too_short",
    ] {
        assert!(dropped.contains(&reason), "{reason} is not in {dropped:?}");
    }
    for kind in ["NAME", "EMAIL", "PHONE", "URL", "ADDRESS", "DATE", "AGE"] {
        assert!(
            report["identifiers"][kind].as_u64().unwrap_or(0) > 0,
            "{kind}: {}",
            report["identifiers"]
        );
    }
    assert!(report["records_to_review"].as_u64().unwrap() >= 2);
    for split in ["train", "validation", "test"] {
        assert!(
            report["splits"][split]["records"].as_u64().unwrap() > 0,
            "{split}"
        );
        let text = fs::read_to_string(run.output.join(format!("{split}.jsonl"))).unwrap();
        for secret in ["Placeholder", "example.com", "555-0", "<p>", "&nbsp;"] {
            assert!(!text.contains(secret), "`{secret}` is in {split}");
        }
    }
}
