//! Runs the six stages over a file, without a server: `run_local FILE DIRECTORY [SEED]`.

use std::{path::Path, process::ExitCode};

use mcpanel_agents::local::run_local;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, directory, seed) = match arguments.as_slice() {
        [file, directory] => (file, directory, Some(0)),
        [file, directory, seed] => (file, directory, seed.parse().ok()),
        _ => {
            eprintln!("usage: run_local FILE DIRECTORY [SEED]");
            return ExitCode::FAILURE;
        }
    };
    let Some(seed) = seed else {
        eprintln!("the seed is no whole number");
        return ExitCode::FAILURE;
    };
    match run_local(Path::new(file), Path::new(directory), seed) {
        Ok(run) => {
            for (stage, summary) in &run.summaries {
                println!(
                    "{stage:18} {} in, {} out, {}",
                    summary["records_in"], summary["records_out"], summary["dropped"]
                );
            }
            println!("{}", run.output.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::FAILURE
        }
    }
}
