//! Runs that are killed, stopped, and gone on with.

use std::{fs, time::Duration};

use super::{files, uninterrupted};
use crate::support::{Watched, mcpanel, run_in, said, sample};

/// Begins a run over the sample, in `folder`.
fn begin(folder: &std::path::Path) -> Watched {
    let sample = sample();
    let arguments = [
        "run",
        sample.to_str().unwrap(),
        "--out",
        "out",
        "--seed",
        "7",
    ];
    Watched::start(mcpanel(arguments).current_dir(folder))
}

#[test]
fn a_killed_run_goes_on_and_ends_as_if_nothing_had_been() {
    let folder = tempfile::tempdir().unwrap();
    let expected = uninterrupted(folder.path(), "whole", "7");

    let mut first = begin(folder.path());
    first.wait_for("stage 1/6").expect("the first stage ends");
    first.kill();
    assert!(
        !folder.path().join("out/report.json").exists(),
        "nothing looks complete"
    );
    // Wherever the next ones are, they are killed too.
    for ms in [300, 700, 1_100] {
        let mut next =
            Watched::start(mcpanel(["run", "--resume", "--out", "out"]).current_dir(folder.path()));
        std::thread::sleep(Duration::from_millis(ms));
        next.kill();
        if !folder.path().join("out/.mcpanel/run.json").exists() {
            break;
        }
    }
    if folder.path().join("out/.mcpanel/run.json").exists() {
        let last = run_in(folder.path(), ["run", "--resume", "--out", "out"]);
        assert!(last.status.success(), "{}", said(&last));
        assert!(said(&last).contains("pipeline pipe_"), "{}", said(&last));
    }
    assert!(
        files(&folder.path().join("out")) == expected,
        "nothing is lost and nothing is twice"
    );
}

#[test]
fn a_run_killed_before_it_has_begun_goes_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = begin(folder.path());
    first.wait_for("API at").expect("the server starts");
    first.kill();
    let last = run_in(folder.path(), ["run", "--resume", "--out", "out"]);
    assert!(last.status.success(), "{}", said(&last));
    assert!(folder.path().join("out/report.html").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let expected = uninterrupted(folder.path(), "whole", "7");

    let mut first = begin(folder.path());
    first.wait_for("stage 1/6").expect("the first stage ends");
    first.interrupt();
    assert_eq!(first.end(), Some(130), "{:?}", first.heard);
    let said_last = first.heard.join("\n");
    assert!(
        said_last.contains("`mcpanel run --resume --out out`"),
        "{said_last}"
    );
    assert!(!said_last.contains("WARN"), "{said_last}");

    let last = run_in(folder.path(), ["run", "--resume", "--out", "out"]);
    assert!(last.status.success(), "{}", said(&last));
    assert!(files(&folder.path().join("out")) == expected);
}

#[test]
fn two_runs_cannot_work_in_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = begin(folder.path());
    first.wait_for("API at").expect("the server starts");
    let second = run_in(folder.path(), ["run", "--resume", "--out", "out"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        said(&second).contains("in use by another process"),
        "{}",
        said(&second)
    );
    first.kill();
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(folder.path().join("out/precious.txt"), "mine").unwrap();
    let output = run_in(
        folder.path(),
        ["run", sample().to_str().unwrap(), "--out", "out"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "error: `out` is not empty\n  try: `--out` for another folder, or remove this one\n"
    );
    assert_eq!(files(&folder.path().join("out")).len(), 1);
}

#[test]
fn there_is_nothing_to_resume_where_nothing_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), ["run", "--resume"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "error: there is nothing to resume in `mcpanel-out`\n  \
         try: `mcpanel run FILE` to begin, or `--out` for the folder of the run\n"
    );
}
