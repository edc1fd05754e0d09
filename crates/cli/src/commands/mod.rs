//! The commands, a file for each.

pub mod agents;
pub mod artifacts;
pub mod auth;
pub mod bench;
pub mod common;
pub mod context;
pub mod dev;
pub mod doctor;
pub mod events;
pub mod health;
pub mod healthcheck;
pub mod keys;
pub mod metrics;
pub mod migrate;
pub mod openapi;
pub mod ops;
pub mod pipelines;
pub mod run;
pub mod serve;
pub mod store;
pub mod tasks;
pub mod templates;

use std::io::Write;

use crate::{
    Result,
    arguments::{Arguments, Command},
    exit::{self, Exit},
    help::{self, topics},
    output,
};

/// Does what was asked for.
pub async fn run(arguments: Arguments) -> Result {
    let global = arguments.global;
    global.check()?;
    match arguments.command {
        Command::Run(run) => run.execute(&global).await,
        Command::Serve(serve) => serve.execute().await,
        Command::Dev(dev) => dev.execute().await,
        Command::Migrate(migrate) => migrate.execute().await,
        Command::Agents(agents) => agents.execute(&global).await,
        Command::Tasks(tasks) => tasks.execute(&global).await,
        Command::Pipelines(pipelines) => pipelines.execute(&global).await,
        Command::Templates(templates) => templates.execute(&global).await,
        Command::Artifacts(artifacts) => artifacts.execute(&global).await,
        Command::Ops(ops) => ops.execute(&global).await,
        Command::Queues(queues) => queues.execute(&global).await,
        Command::Metrics(metrics) => metrics.execute(&global).await,
        Command::History(history) => history.execute(&global).await,
        Command::Keys(keys) => keys.execute(&global).await,
        Command::Events(events) => events.execute(&global).await,
        Command::Auth(auth) => auth.execute(&global).await,
        Command::Context(context) => context.execute(&global),
        Command::Doctor(doctor) => doctor.execute(&global).await,
        Command::Health => health::execute(&global).await,
        Command::Services => health::services(&global).await,
        Command::Store(store) => store.execute(&global).await,
        Command::Bench(bench) => bench.execute(&global).await,
        Command::Healthcheck(check) => check.execute(&global).await,
        Command::Openapi => openapi::execute(),
        Command::Completions { shell } => {
            let mut command = help::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "mcpanel", &mut script);
            std::io::stdout().lock().write_all(&script)?;
            Ok(Exit::Ok)
        }
        Command::ExitCodes => topic(exit::TABLE),
        Command::Environment => topic(&topics::environment(&help::command())),
        Command::Output => topic(topics::OUTPUT),
        Command::Reference => topic(&help::reference::markdown()),
    }
}

fn topic(text: &str) -> Result {
    output::line(text.trim_end())?;
    Ok(Exit::Ok)
}

/// Waits for Ctrl-C, or for being told to end.
pub async fn interrupted() {
    Interrupts::listen().next().await;
}

/// Ctrl-C and being told to end, heard from when this is made: what does more than to end at once makes it before
/// it begins.
pub struct Interrupts {
    #[cfg(unix)]
    signals: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Interrupts {
    /// Listens from now on.
    #[cfg(unix)]
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let both = signal(SignalKind::interrupt())
            .and_then(|interrupt| Ok([interrupt, signal(SignalKind::terminate())?]));
        // Without a handler the signal ends the process by itself.
        Self { signals: both.ok() }
    }

    /// Waits for the next.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        let Some([interrupt, terminate]) = &mut self.signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    /// Listens from now on.
    #[cfg(not(unix))]
    pub fn listen() -> Self {
        Self {}
    }

    /// Waits for the next.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
