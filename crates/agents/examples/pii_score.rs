//! Writes `docs/pii.md`: what is removed, and how well, measured on labelled sentences.
//!
//! `cargo run -p mcpanel-agents --example pii_score` prints the mistakes and rewrites the file;
//! a test fails when the file and the rules disagree.

use std::{fs, process::ExitCode};

use mcpanel_agents::pii::score::{Score, document, parse};

fn main() -> ExitCode {
    let read = |name: &str| {
        fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR")))
            .map_err(|error| error.to_string())
            .and_then(|file| parse(&file))
    };
    let files = ["pii_tuning.txt", "pii_held_out.txt", "pii_hard.txt"].map(read);
    let [tuning, held_out, hard] = match files.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(files) => [0, 1, 2].map(|index: usize| Score::of(&files[index])),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    // The mistakes on the other sentences are not shown: whoever sees them tunes on them.
    for mistake in &tuning.mistakes {
        println!("{mistake}");
    }
    println!("{}\n{}\n{}", tuning.table(), held_out.table(), hard.table());
    let path = format!("{}/../../docs/pii.md", env!("CARGO_MANIFEST_DIR"));
    match fs::write(&path, document(&tuning, &held_out, &hard)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("writing `{path}` failed: {error}");
            ExitCode::FAILURE
        }
    }
}
