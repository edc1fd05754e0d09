//! `mcpanel store copy`: a whole installation from a data directory into MongoDB, or back.

use std::path::PathBuf;

use clap::Args;
use mcpanel_guard::secrets::{ADMIN_KEY_FILE, JWT_SECRET_FILE};
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

    /// What no copy holds: secrets are not in the store.
    fn advise(&self) {
        say(
            "not copied: the secret that signs tokens, the administrator's key, and what is in Redis, which servers fill anew",
        );
        match (&self.from, &self.to) {
            (Place::Folder(from), Place::MongoDb(_)) => say(format_args!(
                "agents and their tokens stay valid if every server gets the same JWT_SECRET as before \
                 (the content of `{}`, unless it was set), and the administrator's key if it gets the same \
                 MCPANEL_ADMIN_KEY (the content of `{}`)",
                from.join(JWT_SECRET_FILE).display(),
                from.join(ADMIN_KEY_FILE).display()
            )),
            (Place::Folder(from), Place::Folder(to)) => say(format_args!(
                "agents, their tokens and the administrator's key stay valid if `{JWT_SECRET_FILE}` and \
                 `{ADMIN_KEY_FILE}` are copied from `{}` to `{}` before its server starts, or JWT_SECRET and \
                 MCPANEL_ADMIN_KEY are set as before",
                from.display(),
                to.display()
            )),
            (Place::MongoDb(_), _) => say(
                "agents and their tokens stay valid if every server gets the same JWT_SECRET as before, and the \
                 administrator's key if it gets the same MCPANEL_ADMIN_KEY",
            ),
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

    from.still_alone().await?;
    to.still_alone().await?;
    let step = Step::begin("comparing", Some(there.total()));
    let hear = |kind, count| step.hear(kind, count);
    let arrived = Census::take(&to.end, &hear).await.map_err(failed)?;
    step.end();

    let differences = arrived.differences(&there);
    if !differences.is_empty() {
        let told: Vec<String> = differences
            .iter()
            .map(|&kind| difference(kind, there.of(kind).count, arrived.of(kind).count))
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

/// What is wrong with a kind of thing that differs.
fn difference(kind: Kind, wanted: u64, found: u64) -> String {
    let kind = kind.plural();
    match wanted == found {
        true => format!("same count, other content in {kind} ({wanted})"),
        false => format!("{kind}: {wanted} were there, {found} arrived"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_no_count_shows_is_said_to_be_one_of_content() {
        assert_eq!(
            difference(Kind::Task, 2, 2),
            "same count, other content in tasks (2)"
        );
        assert_eq!(
            difference(Kind::Task, 2, 1),
            "tasks: 2 were there, 1 arrived"
        );
    }
}
