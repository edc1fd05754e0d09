//! Templates, new pipelines, changes to their description.

use super::*;
use crate::limits::{TAGS_MAX, TITLE_CHARS_MAX};

fn faults_of(rejection: Rejection) -> Vec<(String, &'static str)> {
    let Rejection::Invalid { faults } = rejection else {
        panic!("faults are expected, not {rejection}");
    };
    let faults = faults.into_iter();
    faults.map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn a_new_pipeline_waits_with_its_stages_in_order() {
    let made = pipeline(vec![
        stage(2, Mode::Single, &[1]),
        stage(1, Mode::Single, &[]),
    ]);
    assert_eq!((made.revision, made.status), (1, Status::Created));
    let numbers: Vec<u16> = made
        .stages
        .iter()
        .map(|stage| stage.definition.number)
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert!(
        made.stages
            .iter()
            .all(|stage| stage.status == StageStatus::Pending)
    );
}

#[test]
fn all_faults_of_a_new_pipeline_are_listed() {
    let wrong = NewPipeline {
        name: String::new(),
        tags: vec![String::new()],
        priority: 5_000,
        ..wish(Vec::new())
    };
    let refused = create(wrong, &Namespace::default_namespace(), "tests", at(0)).unwrap_err();
    let expected = [
        ("/stages", "empty"),
        ("/name", "length"),
        ("/tags/0", "length"),
        ("/priority", "out_of_range"),
    ];
    let expected: Vec<(String, &str)> = expected
        .map(|(pointer, code)| (pointer.to_owned(), code))
        .to_vec();
    assert_eq!(faults_of(refused), expected);
}

#[test]
fn versions_of_a_template_count_up() {
    let new = || NewTemplate {
        id: TemplateId::parse("mine").unwrap(),
        description: String::new(),
        stages: vec![stage(1, Mode::Single, &[])],
    };
    let namespace = Namespace::default_namespace();
    let (first, _) = create_template(new(), 0, &namespace, "tests", at(0)).unwrap();
    let (second, event) =
        create_template(new(), first.version, &namespace, "tests", at(5)).unwrap();
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!(event.subject.as_deref(), Some("mine"));
}

#[test]
fn a_change_of_description_is_checked_and_told() {
    let changes = Changes {
        name: Some("x".repeat(TITLE_CHARS_MAX + 1)),
        tags: Some(vec!["t".to_owned(); TAGS_MAX + 1]),
        ..Changes::default()
    };
    let refused = decide(&in_a_row(), Command::Update(changes), at(10)).unwrap_err();
    let expected = [("/name", "length"), ("/tags", "too_many")];
    let expected: Vec<(String, &str)> = expected
        .map(|(pointer, code)| (pointer.to_owned(), code))
        .to_vec();
    assert_eq!(faults_of(refused), expected);
    let changes = Changes {
        name: Some("Another".to_owned()),
        ..Changes::default()
    };
    assert_eq!(
        change(&in_a_row(), Command::Update(changes)).name,
        "Another"
    );
}

#[test]
fn what_is_done_in_its_name_changes_the_revision_alone() {
    let before = in_a_row();
    let decided = decision(&before, Command::Touch);
    assert!(decided.events.is_empty() && decided.effects.is_empty());
    let expected = Pipeline {
        revision: 2,
        updated_at: at(10),
        ..before
    };
    assert_eq!(decided.pipeline.unwrap(), expected);
}
