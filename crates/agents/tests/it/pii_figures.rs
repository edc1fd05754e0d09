//! `docs/pii.md` says what the rules do.

use std::fs;

use mcpanel_agents::pii::score::{Score, document, parse};

fn score(name: &str) -> Score {
    let file = fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR")))
        .expect("the labelled sentences are part of the repository");
    Score::of(&parse(&file).expect("the marks are whole"))
}

#[test]
fn the_published_figures_are_those_of_the_rules() {
    let expected = document(
        &score("pii_tuning.txt"),
        &score("pii_held_out.txt"),
        &score("pii_hard.txt"),
    );
    let found = fs::read_to_string(format!("{}/../../docs/pii.md", env!("CARGO_MANIFEST_DIR")))
        .expect("the labelled sentences are part of the repository");
    assert!(
        found == expected,
        "run `cargo run -p mcpanel-agents --example pii_score` and look at the change of docs/pii.md"
    );
}

#[test]
fn ordinary_sentences_keep_their_recall() {
    let held_out = score("pii_held_out.txt");
    assert!(
        held_out.all.removed as f64 >= 0.95 * held_out.all.marked as f64,
        "{:?}",
        held_out.all
    );
    assert!(
        held_out.all.right as f64 >= 0.90 * held_out.all.found as f64,
        "{:?}",
        held_out.all
    );
}
