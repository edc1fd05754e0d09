use std::{collections::HashMap, fs};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{
    local::{LocalRun, run_local, run_local_with},
    record::hex,
};

/// 60 questions with two answers each, and some rows that will not make it.
fn csv() -> String {
    let mut csv = String::from(
        "questionID,questionTitle,questionText,topics,therapistName,answerText,upvotes\n",
    );
    for number in 0..120 {
        let question = number / 2;
        csv.push_str(&format!(
            "q{question},Worry number {question},\"I am a mother of {question} and I worry about the thing called item{question}, what should I do?\",\
             \"Anxiety,<b>Topic</b> {}\",Ada Example,\"<p>It makes sense that item{question} troubles you. You should talk to a therapist about \
             reason{number}, and rest{number} well, says Ada Example.</p>\",{number}\n",
            question % 7
        ));
    }
    csv.push_str("q900,,,Anxiety,Ada Example,An answer without any question at all.,0\n");
    csv.push_str("q901,Short,Is this too short an answer?,Anxiety,Ada Example,Yes.,0\n");
    csv.push_str("q902,Crisis,I want to kill myself and nobody knows it.,Self-harm,Ada Example,Please call 988 now and stay with somebody you trust.,0\n");
    csv
}

fn run(seed: u64) -> (LocalRun, TempDir) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("worries.csv");
    fs::write(&file, csv()).unwrap();
    let run = run_local(&file, &directory.path().join("out"), seed).unwrap();
    (run, directory)
}

fn read(run: &LocalRun, name: &str) -> String {
    fs::read_to_string(run.output.join(name)).unwrap()
}

fn records(run: &LocalRun, split: &str) -> Vec<ChatRecord> {
    read(run, &format!("{split}.jsonl"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const FILES: [&str; 7] = [
    "train.jsonl",
    "validation.jsonl",
    "test.jsonl",
    "README.md",
    "report.json",
    "report.html",
    "checksums.sha256",
];

#[test]
fn the_same_file_and_seed_give_the_same_bytes_another_seed_does_not() {
    let ((one, _keep_one), (two, _keep_two), (other, _keep_other)) = (run(7), run(7), run(8));
    for name in FILES {
        assert_eq!(read(&one, name), read(&two, name), "{name}");
    }
    assert_ne!(read(&one, "test.jsonl"), read(&other, "test.jsonl"));
}

#[test]
fn no_question_is_in_two_splits_and_no_record_is_lost() {
    let (run, _keep) = run(3);
    let mut split_of = HashMap::new();
    let mut total = 0;
    for split in split::NAMES {
        for record in records(&run, split) {
            total += 1;
            let question = record.messages[1].content.clone();
            assert_eq!(*split_of.entry(question).or_insert(split), split);
        }
    }
    assert_eq!(total, 121);
    let report: Value = serde_json::from_str(&read(&run, "report.json")).unwrap();
    let stages = report["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 6);
    for stage in stages {
        let dropped: u64 = stage["dropped"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum();
        assert_eq!(
            stage["records_in"].as_u64().unwrap(),
            stage["records_out"].as_u64().unwrap() + dropped,
            "{stage}"
        );
    }
    for pair in stages.windows(2) {
        assert_eq!(pair[0]["records_out"], pair[1]["records_in"]);
    }
    assert_eq!(stages[0]["dropped"]["empty_question"], 1);
    assert_eq!(stages[4]["dropped"]["answer_too_short"], 1);
    assert_eq!(report["records_to_review"], 1);
    assert_eq!(report["identifiers"]["NAME"], 120);
}

#[test]
fn the_checksums_are_those_of_the_files() {
    let (run, _keep) = run(1);
    let checksums = read(&run, "checksums.sha256");
    assert_eq!(checksums.lines().count(), FILES.len() - 1);
    for line in checksums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(
            sum,
            hex(&Sha256::digest(read(&run, name).as_bytes())),
            "{name}"
        );
    }
}

#[test]
fn the_page_stands_alone_and_text_from_the_data_is_escaped() {
    let (run, _keep) = run(1);
    let page = read(&run, "report.html");
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    assert!(page.contains("&lt;b&gt;Topic&lt;/b&gt; 3") && !page.contains("<b>Topic"));
    let card = read(&run, "README.md");
    assert!(card.contains("\\<b\\>Topic") && card.contains("- split: validation"));
}

#[test]
fn no_name_of_the_columns_is_in_any_output() {
    let (run, _keep) = run(1);
    for name in FILES {
        assert!(!read(&run, name).contains("Ada Example"), "{name}");
    }
}

#[test]
fn a_file_of_which_nothing_remains_gives_an_empty_dataset_and_a_report_that_says_why() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("short.csv");
    fs::write(&file, "question,answer\nWhy?,No.\nHow?,So.\n").unwrap();
    let run = run_local(&file, &directory.path().join("out"), 1).unwrap();
    assert_eq!(records(&run, "train").len(), 0);
    assert!(read(&run, "report.html").contains("question too short"));
}

#[test]
fn small_chunks_and_large_chunks_give_the_same_dataset() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("worries.csv");
    fs::write(&file, csv()).unwrap();
    let with = |name: &str, chunk_records: u64| {
        let parameters = json!({"seed": 5, "chunk_records": chunk_records});
        run_local_with(&file, &directory.path().join(name), parameters).unwrap()
    };
    let (small, large) = (with("small", 7), with("large", 1000));
    assert!(small.artifacts.len() > large.artifacts.len());
    for name in FILES {
        assert_eq!(read(&small, name), read(&large, name), "{name}");
    }
}
