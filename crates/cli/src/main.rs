//! The `mcpanel` binary. A file for each command is in [`commands`]; how commands speak to people and
//! scripts is in [`output`]; what the process answers to its caller is in [`exit`].

mod commands;
mod connect;
mod exit;
mod output;

use clap::Parser;

// glibc's allocator keeps what many threads freed; this one gives it back and is faster under load.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = commands::Cli::parse();
    match commands::run(cli) {
        Ok(code) => code.into(),
        Err(error) => {
            let code = exit::Code::of(&error);
            output::complain(&error);
            code.into()
        }
    }
}
