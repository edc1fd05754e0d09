//! `mcpanel store copy`: a whole installation from a data directory into MongoDB, or back.

use std::path::PathBuf;

use clap::Args;
use mcpanel_transfer::{Census, Kind, transfer};
use serde::Serialize;

use super::{
    ends::{Opened, Place},
    watch::Step,
};
use crate::{
    Failure, Result,
    commands::Interrupts,
    exit::{Exit, with_causes},
    output::{
        cell::{Cell, text},
        form::Form,
        listing::{self, Row},
        numbers::grouped,
        say,
    },
};

/// Copy everything into another store, and prove that it arrived.
///
/// Stop all servers of both first. A copy that broke off goes on where it was when it is made again. What is in Redis is
/// not copied: servers fill it from MongoDB.
#[derive(Debug, Args)]
pub struct Copy {
    /// What to copy: a data folder, `mongodb://…`, or `@FILE` with an address that holds a password.
    #[arg(long, value_name = "FROM")]
    from: Place,
    /// Where to, in the same way. It must be empty, or hold a part of the same copy.
    #[arg(long, value_name = "TO")]
    to: Place,
    /// The folder for artifacts' bytes that servers on MongoDB are given, if they are given one.
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
}

/// A kind of thing that was copied.
#[derive(Serialize)]
struct Copied {
    kind: &'static str,
    count: u64,
    digest: String,
}

impl Row for Copied {
    const HEADER: &'static [&'static str] = &["KIND", "COUNT", "DIGEST"];

    fn name(&self) -> String {
        self.kind.to_owned()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(self.kind),
            text(grouped(self.count)),
            // As much as one compares by eye.
            text(&self.digest[..16]),
        ]
    }
}

impl Copy {
    /// Copies, unless it is interrupted, and leaves both ends in order.
    pub async fn execute(self, form: Form<'_>) -> Result {
        if self.from == self.to {
            return Err(Failure::usage("`--from` and `--to` name the same store"));
        }
        let artifacts = self.artifacts.as_deref();
        let from = self.from.open(artifacts).await?;
        let to = self.to.open_or_make(artifacts).await?;
        let mut interrupts = Interrupts::listen();
        let copied = tokio::select! {
            copied = copy(&from, &to) => Some(copied),
            () = interrupts.next() => None,
        };
        if copied.is_none() {
            say("interrupted; the same command goes on from here");
        }
        let close = async {
            from.close().await;
            to.close().await;
        };
        // Whoever interrupts again does not want to wait for it, either.
        let copied = tokio::select! {
            () = close => copied,
            () = interrupts.next() => None,
        };
        let Some(copied) = copied else {
            return Ok(Exit::Interrupted);
        };
        let copied = copied?;
        listing::many(form, &copied)?;
        say("both hold the same, by count and digest");
        self.advise();
        Ok(Exit::Ok)
    }

    fn advise(&self) {
        match (&self.from, &self.to) {
            (Place::Folder(folder), Place::MongoDb(_)) => say(format_args!(
                "agents' tokens stay valid if servers get the content of `{}` as JWT_SECRET; \
                 the administrator's key is in `admin.key` beside it, for MCPANEL_ADMIN_KEY",
                folder.join("jwt.secret").display()
            )),
            (Place::MongoDb(_), Place::Folder(_)) => say(
                "agents' tokens stay valid if the server gets the same JWT_SECRET as before, \
                 and the administrator's key if it gets the same MCPANEL_ADMIN_KEY",
            ),
            (Place::Folder(_), Place::Folder(_)) | (Place::MongoDb(_), Place::MongoDb(_)) => {}
        }
    }
}

async fn copy(from: &Opened, to: &Opened) -> Result<Vec<Copied>> {
    let failed = |error: mcpanel_store::Error| Failure::new(with_causes(&error));
    let step = Step::begin("counting", None);
    let hear = |kind, count| step.hear(kind, count);
    let there = Census::take(&from.end, &hear).await.map_err(failed)?;
    step.end();

    let step = Step::begin("copying", Some(there.total()));
    let hear = |kind, count| step.hear(kind, count);
    transfer(&from.end, &to.end, &there, &hear)
        .await
        .map_err(|error| Failure::new(with_causes(&error)))?;
    step.end();

    let step = Step::begin("comparing", Some(there.total()));
    let hear = |kind, count| step.hear(kind, count);
    let arrived = Census::take(&to.end, &hear).await.map_err(failed)?;
    step.end();

    let differences = arrived.differences(&there);
    if !differences.is_empty() {
        let told: Vec<String> = differences
            .iter()
            .map(|&kind| {
                let (wanted, found) = (there.of(kind).count, arrived.of(kind).count);
                format!("{}: {wanted} were there, {found} arrived", kind.plural())
            })
            .collect();
        return Err(Failure::new(format!(
            "the copy is not what was copied\n{}",
            told.join("\n")
        ))
        .hint("empty the target and copy again; the source is unchanged"));
    }
    Ok(Kind::ALL
        .into_iter()
        .map(|kind| Copied {
            kind: kind.plural(),
            count: there.of(kind).count,
            digest: there.of(kind).digest.to_string(),
        })
        .collect())
}
