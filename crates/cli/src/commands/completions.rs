//! `mcpanel completions`: what a shell needs to complete this command.

use clap::{Args, CommandFactory};

use crate::exit::Code;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<Code> {
        let mut command = super::Cli::command();
        clap_complete::generate(self.shell, &mut command, "mcpanel", &mut std::io::stdout());
        Ok(Code::Ok)
    }
}
