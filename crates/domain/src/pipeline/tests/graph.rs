//! Which graphs of stages can run.

use super::*;
use crate::limits::STAGES_MAX;

fn codes(stages: &[StageDefinition]) -> Vec<(String, &'static str)> {
    let faults = check_graph(stages).into_iter();
    faults.map(|fault| (fault.pointer, fault.code)).collect()
}

fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(pointer.to_owned(), code)]
}

#[test]
fn a_diamond_can_run() {
    let stages = [
        stage(1, Mode::Single, &[]),
        stage(2, Mode::Map, &[1]),
        stage(3, Mode::Map, &[1]),
        stage(4, Mode::Reduce, &[2, 3]),
    ];
    assert_eq!(codes(&stages), []);
}

#[test]
fn a_circle_is_found_and_its_members_are_named() {
    let stages = [
        stage(1, Mode::Single, &[]),
        stage(2, Mode::Single, &[1, 4]),
        stage(3, Mode::Single, &[2]),
        stage(4, Mode::Single, &[3]),
    ];
    let faults = check_graph(&stages);
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, "dependency_cycle");
    assert_eq!(faults[0].pointer, "/stages/1/dependencies");
    assert!(
        faults[0].detail.contains("2 → 4 → 3 → 2"),
        "{}",
        faults[0].detail
    );
}

#[test]
fn a_stage_that_waits_for_itself_is_a_circle() {
    assert_eq!(
        codes(&[stage(1, Mode::Single, &[1])]),
        one("/stages/0/dependencies", "dependency_cycle")
    );
}

#[test]
fn unknown_repeated_and_unnumbered_stages_are_faults() {
    let stages = [
        stage(0, Mode::Single, &[]),
        stage(2, Mode::Single, &[9]),
        stage(2, Mode::Single, &[]),
    ];
    let expected = [
        ("/stages/0/stage", "out_of_range"),
        ("/stages/2/stage", "repeated"),
        ("/stages/1/dependencies/0", "unknown_dependency"),
    ];
    let expected: Vec<(String, &str)> = expected
        .map(|(pointer, code)| (pointer.to_owned(), code))
        .to_vec();
    assert_eq!(codes(&stages), expected);
}

#[test]
fn no_stages_and_too_many_are_faults() {
    assert_eq!(codes(&[]), one("/stages", "empty"));
    let many: Vec<StageDefinition> = (1..=STAGES_MAX as u16 + 1)
        .map(|number| stage(number, Mode::Single, &[]))
        .collect();
    assert_eq!(codes(&many), one("/stages", "too_many"));
}

#[test]
fn the_settings_of_a_stage_are_checked() {
    let mut wrong = stage(1, Mode::Single, &[]);
    wrong.name = String::new();
    wrong.timeout_ms = Some(0);
    wrong.retry.max_retries = u32::MAX;
    let expected = [
        ("/stages/0/name", "length"),
        ("/stages/0/timeout_ms", "out_of_range"),
        ("/stages/0/retry_config/maxRetries", "out_of_range"),
    ];
    let expected: Vec<(String, &str)> = expected
        .map(|(pointer, code)| (pointer.to_owned(), code))
        .to_vec();
    assert_eq!(codes(&[wrong]), expected);
}

#[test]
fn the_longest_chain_that_is_allowed_is_walked() {
    let chain: Vec<StageDefinition> = (1..=STAGES_MAX as u16)
        .map(|number| {
            let before: Vec<u16> = (number > 1).then(|| number - 1).into_iter().collect();
            stage(number, Mode::Single, &before)
        })
        .collect();
    assert_eq!(codes(&chain), []);
}

#[test]
fn the_built_in_template_can_run() {
    let template = techdeck::template(&Namespace::default_namespace());
    assert_eq!(codes(&template.stages), []);
    assert_eq!(template.stages.len(), 6);
}
