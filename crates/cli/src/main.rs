//! The binary `mcpanel`: a server, the main job, a load generator, and a client of any server.
//!
//! - [`arguments`]: what can be asked for; `commands` has a file for each
//! - [`connect`]: which server, and as whom; [`contexts`]: servers by name; [`addresses`]: of MongoDB and Redis
//! - [`output`]: tables, JSON, progress; [`help`]: examples, topics
//! - [`exit`]: what exit codes mean, and how failures are told
//!
//! Data goes to stdout, everything else to stderr.

mod addresses;
mod arguments;
mod commands;
mod connect;
mod contexts;
mod exit;
mod help;
mod output;

use std::{process::ExitCode, time::Duration};

use clap::FromArgMatches;

use arguments::Arguments;
use exit::{Exit, Failure};

/// Threads that come and go make many small allocations; the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long threads that still block (a stage between two records) are waited for at the end.
const LINGER: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let matches = connect::without_blank_variables(help::command())
        .color(output::colour_of_help(std::env::args_os()))
        .try_get_matches();
    let matches = match matches {
        Ok(matches) => matches,
        Err(error) => {
            let typed: Vec<String> = std::env::args_os()
                .skip(1)
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            help::mistakes::explained(error, &help::command(), &typed).exit()
        }
    };
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let begun = output::start(&arguments.global, arguments.command.lines());
    let runtime = begun.and_then(|()| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))
    });
    let exit = runtime
        .and_then(|runtime| {
            addresses::refuse_typed_passwords(&matches)?;
            let done = runtime.block_on(commands::run(arguments));
            runtime.shutdown_timeout(LINGER);
            done
        })
        .unwrap_or_else(|failure| {
            failure.show();
            failure.exit
        });
    exit.into()
}

/// What a command answers.
type Result<T = Exit> = std::result::Result<T, Failure>;
