//! The commands, a file for each.

pub mod agents;
pub mod artifacts;
pub mod bench;
pub mod common;
pub mod events;
pub mod healthcheck;
pub mod keys;
pub mod openapi;
pub mod pipelines;
pub mod run;
pub mod serve;
pub mod tasks;
pub mod templates;

use clap::CommandFactory;

use crate::{
    Result,
    arguments::{Arguments, Command},
    exit::Exit,
};

/// Does what was asked for.
pub async fn run(arguments: Arguments) -> Result {
    let global = arguments.global;
    match arguments.command {
        Command::Run(run) => run.execute(&global).await,
        Command::Serve(serve) => serve.execute().await,
        Command::Agents(agents) => agents.execute(&global).await,
        Command::Tasks(tasks) => tasks.execute(&global).await,
        Command::Pipelines(pipelines) => pipelines.execute(&global).await,
        Command::Templates(templates) => templates.execute(&global).await,
        Command::Artifacts(artifacts) => artifacts.execute(&global).await,
        Command::Keys(keys) => keys.execute(&global).await,
        Command::Events(events) => events.execute(&global).await,
        Command::Bench(bench) => bench.execute(&global).await,
        Command::Healthcheck(check) => check.execute(&global).await,
        Command::Openapi => openapi::execute(),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "mcpanel", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
    }
}

/// Waits for Ctrl-C, or for being told to end.
pub async fn interrupted() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the signal ends the process by itself.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = terminate => {}
    }
}
