use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{
    ingest::DataIngestion,
    local::{LocalJob, file_input},
};

struct Ran {
    records: Vec<CleanRecord>,
    drops: Vec<(String, String)>,
    summary: Summary,
}

fn preprocess(csv: &str, parameters: Value) -> Ran {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("data.csv");
    fs::write(&file, csv).unwrap();
    let first = LocalJob::new(
        vec![file_input(&file).unwrap()],
        directory.path().join("1"),
        1,
        0,
        json!({"chunk_records": 2}),
    )
    .unwrap();
    DataIngestion.run(&first).unwrap();
    let job = LocalJob::new(
        first.outputs(),
        directory.path().join("2"),
        2,
        0,
        parameters,
    )
    .unwrap();
    let summary = Preprocessing.run(&job).unwrap();
    let lines = |name: &str| fs::read_to_string(directory.path().join("2").join(name)).unwrap();
    Ran {
        records: lines("chunk-000001.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        drops: lines("drops.jsonl")
            .lines()
            .map(|line| serde_json::from_str::<Reject>(line).unwrap())
            .map(|drop| (drop.reasons[0].code.clone(), drop.reasons[0].detail.clone()))
            .collect(),
        summary,
    }
}

const LONG: &str = "When you notice the first signs of worry, sit down, breathe slowly, and name five things that you can see \
    around you, because attention to the present moment loosens the grip of fear and gives you time to choose";

#[test]
fn markup_goes_spaces_are_tidied_and_empty_text_is_dropped() {
    let csv = "question,answer\n<p>Why&nbsp;me?</p>,<p>Breathe.</p><p>Rest.</p>\nHow?,<img src='x'>\n<br>,Yes.\n";
    let ran = preprocess(csv, json!({}));
    assert_eq!(ran.records[0].question, "Why me?");
    assert_eq!(ran.records[0].answer, "Breathe.\n\nRest.");
    let codes: Vec<_> = ran.drops.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["empty_answer", "empty_question"]);
}

#[test]
fn duplicates_are_found_across_chunks_and_name_their_twin() {
    let csv = format!(
        "question,answer\nWhy?,{q}{LONG}.{q}\nWho?,Nobody knows.\nwhy,{q}<b>{LONG}</b>{q}\nHow?,{q}{LONG} well.{q}\nWho else?,Nobody knows.\n",
        q = '"'
    );
    let ran = preprocess(&csv, json!({}));
    let codes: Vec<_> = ran.drops.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["exact_duplicate", "near_duplicate"]);
    assert!(
        ran.drops
            .iter()
            .all(|(_, detail)| detail.contains(&ran.records[0].id))
    );
    assert_eq!(
        ran.records.len(),
        3,
        "short answers may repeat under another question"
    );

    let off = preprocess(&csv, json!({"near_duplicate_threshold": 1.0}));
    assert_eq!(off.drops.len(), 1);
}

#[test]
fn people_of_any_row_are_removed_from_every_row() {
    let csv = "question,answer,author\nWhy?,Because Quillon Vexbury says so.,Ada Example\nHow?,Ask ada example.,\"Quillon Vexbury, PhD\"\n";
    let ran = preprocess(csv, json!({}));
    assert_eq!(ran.records[0].answer, "Because [NAME] says so.");
    assert_eq!(ran.records[1].answer, "Ask [NAME].");
    assert_eq!(ran.records[0].pii["NAME"], 1);
    assert_eq!(ran.summary["pii"]["NAME"], 2);
    assert_eq!(ran.summary["people_names"], 2);
}

#[test]
fn rows_with_the_same_question_share_a_group() {
    let csv =
        "id,question,answer\nq1,Why?,One.\nq2,<b>WHY</b>,Two.\nq2,Why not?,Three.\nq3,How?,Four.\n";
    let groups: Vec<_> = preprocess(csv, json!({}))
        .records
        .into_iter()
        .map(|record| record.group)
        .collect();
    assert_eq!(groups[0], groups[1]);
    assert_eq!(groups[1], groups[2]);
    assert_ne!(groups[0], groups[3]);
}

#[test]
fn a_task_without_chunks_says_so() {
    let directory = TempDir::new().unwrap();
    let job = LocalJob::new(Vec::new(), directory.path(), 2, 0, json!({})).unwrap();
    assert_eq!(Preprocessing.run(&job).unwrap_err().code(), "no_input");
}
