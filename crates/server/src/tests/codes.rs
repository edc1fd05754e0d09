use std::{collections::BTreeSet, fs, path::Path};

use mcpanel_domain::{Fault, Rejection, TaskId};

use crate::{ApiError, Code};

/// The folder with a page for each public code.
fn pages() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let codes: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect();
    let pages: BTreeSet<String> = fs::read_dir(pages())
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "README")
        .collect();
    assert_eq!(codes, pages);
}

#[test]
fn every_page_tells_the_status_and_the_title_of_its_code() {
    for code in Code::ALL {
        let page = fs::read_to_string(pages().join(format!("{}.md", code.as_str()))).unwrap();
        let first = format!("Status {}. {}", code.status().as_u16(), code.title());
        assert!(
            page.contains(&first),
            "`{}` should say: {first}",
            code.as_str()
        );
    }
}

#[test]
fn rejections_keep_their_words_and_pointers() {
    let cycle = Rejection::DependencyCycle {
        cycle: vec![TaskId::parse("a").unwrap(), TaskId::parse("b").unwrap()],
        pointer: "/tasks/0/dependencies".to_owned(),
    };
    let problem = ApiError::from(cycle).problem();
    assert_eq!(
        (problem.code.as_str(), problem.status),
        ("dependency_cycle", 422)
    );
    assert_eq!(problem.errors[0].pointer, "/tasks/0/dependencies");

    let unknown = Fault::new("/dependencies/0", "unknown_dependency", "no task `x`");
    let faults = vec![unknown.clone()];
    assert_eq!(
        ApiError::from(Rejection::Invalid { faults }).code(),
        Code::UnknownDependency
    );
    let faults = vec![unknown, Fault::new("/priority", "out_of_range", "is 5000")];
    assert_eq!(
        ApiError::from(Rejection::Invalid { faults }).code(),
        Code::Validation
    );
}

#[test]
fn an_outcome_that_nobody_knows_has_words_of_its_own() {
    let problem_of = |error: mcpanel_store::Error| {
        ApiError::from(mcpanel_control::Error::Store(error)).problem()
    };
    let reason = || "the disk at 10.0.0.7 said no".to_owned();
    let unknown = problem_of(mcpanel_store::Error::Unknown { reason: reason() });
    assert_eq!(
        (unknown.code.as_str(), unknown.status),
        ("outcome_unknown", 503)
    );
    assert!(unknown.detail.contains("may have been done"));
    assert!(unknown.detail.contains("`Idempotency-Key`"));
    let away = problem_of(mcpanel_store::Error::Unavailable { reason: reason() });
    assert_eq!(
        (away.code.as_str(), away.status),
        ("store_unavailable", 503)
    );
    assert!(!away.detail.contains("may have been done"));
    for problem in [unknown, away] {
        assert!(!problem.detail.contains("10.0.0.7"), "{}", problem.detail);
    }
}
