//! A real file, where `MCPANEL_SAMPLE_DATA` names one: nothing may be lost or left unsaid.

use std::{env, fs, path::Path};

use mcpanel_agents::local::run_local;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn every_row_of_the_real_file_is_kept_or_accounted_for() {
    let Some(file) = env::var_os("MCPANEL_SAMPLE_DATA") else {
        println!("skipped: MCPANEL_SAMPLE_DATA names no file");
        return;
    };
    let directory = TempDir::new().unwrap();
    let run = run_local(Path::new(&file), directory.path(), 42).unwrap();
    let report: Value =
        serde_json::from_str(&fs::read_to_string(run.output.join("report.json")).unwrap()).unwrap();
    let stages = report["stages"].as_array().unwrap();
    let dropped: u64 = stages
        .iter()
        .flat_map(|stage| stage["dropped"].as_object().unwrap().values())
        .map(|count| count.as_u64().unwrap())
        .sum();
    let kept: u64 = report["splits"]
        .as_object()
        .unwrap()
        .values()
        .map(|split| split["records"].as_u64().unwrap())
        .sum();
    assert_eq!(stages[0]["records_in"].as_u64().unwrap(), kept + dropped);
    assert!(
        kept * 10 > (kept + dropped) * 9,
        "{kept} of {} are left",
        kept + dropped
    );
}
