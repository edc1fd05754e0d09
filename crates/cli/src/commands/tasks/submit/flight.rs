//! Sending the tasks of a file: a few at a time, answered in their order.

use std::{collections::VecDeque, pin::pin};

use mcpanel_api::task::{NewTask, Task};
use mcpanel_client::{Client, Created};
use tokio::{sync::mpsc, task::JoinHandle};

use super::Keys;
use crate::{
    Failure, Result,
    commands::{
        common::documents::{Document, Documents},
        interrupted,
    },
    exit::Exit,
    output::{self, form::Form, listing::Listing, numbers::counted},
};

/// Requests under way at once: enough that the server commits them together, few enough for one caller.
const UNDER_WAY_MAX: usize = 32;

/// Tasks read ahead, so that reading and sending do not wait for each other.
const READ_AHEAD: usize = 64;

/// Sends all that `tasks` holds.
pub async fn fly(
    client: Client,
    mut tasks: Documents<NewTask>,
    keys: Keys,
    form: Form<'_>,
) -> Result {
    let mut flight = Flight {
        client,
        source: tasks.source().to_owned(),
        keys,
        waiting: None,
        under_way: VecDeque::new(),
        listing: Listing::new(form)?,
        sent: 0,
        known: 0,
    };
    let (sender, mut read) = mpsc::channel(READ_AHEAD);
    // A thread of its own: a read of stdin may take for ever.
    tokio::task::spawn_blocking(move || {
        while let Some(next) = tasks.next().transpose() {
            let is_last = next.is_err();
            if sender.blocking_send(next).is_err() || is_last {
                return;
            }
        }
    });
    let mut stop = pin!(interrupted());
    let mut failure = None;
    let mut is_read = false;
    while !is_read || !flight.is_empty() {
        let may_read = !is_read && flight.has_room();
        tokio::select! {
            biased;
            () = &mut stop => {
                flight.finish()?;
                return Ok(Exit::Interrupted);
            }
            landed = flight.landed(), if !flight.under_way.is_empty() => {
                if let Err(error) = landed.and_then(|()| flight.take_off()) {
                    failure.get_or_insert(error);
                    flight.waiting = None;
                    is_read = true;
                }
            }
            next = read.recv(), if may_read => match next {
                None => is_read = true,
                Some(task) => {
                    if let Err(error) = task.and_then(|task| flight.board(task)) {
                        failure.get_or_insert(error);
                        is_read = true;
                    }
                }
            },
        }
    }
    flight.end(failure)
}

struct Flight {
    client: Client,
    source: String,
    keys: Keys,
    /// Depends on others, which may be those under way.
    waiting: Option<Document<NewTask>>,
    under_way: VecDeque<(u64, JoinHandle<mcpanel_client::Result<Created<Task>>>)>,
    listing: Listing<Task>,
    /// Arrived.
    sent: u64,
    /// Of these, were there already.
    known: u64,
}

impl Flight {
    fn is_empty(&self) -> bool {
        self.waiting.is_none() && self.under_way.is_empty()
    }

    fn has_room(&self) -> bool {
        self.waiting.is_none() && self.under_way.len() < UNDER_WAY_MAX
    }

    /// Takes a task that was read.
    fn board(&mut self, task: Document<NewTask>) -> Result<()> {
        self.waiting = Some(task);
        self.take_off()
    }

    /// Sends the task that waits, unless it may depend on one that has not arrived.
    fn take_off(&mut self) -> Result<()> {
        let is_free = |task: &mut Document<NewTask>| {
            task.body.dependencies.is_empty() || self.under_way.is_empty()
        };
        let Some(Document { line, body }) = self.waiting.take_if(is_free) else {
            return Ok(());
        };
        let key = self.keys.next(&body)?;
        let client = self.client.clone();
        let sent = tokio::spawn(async move { client.create_or_find_task(&body, &key).await });
        self.under_way.push_back((line, sent));
        Ok(())
    }

    /// Waits for the answer to the first request under way, and writes it. May be dropped and called again.
    async fn landed(&mut self) -> Result<()> {
        let Some((line, sent)) = self.under_way.front_mut() else {
            return Ok(());
        };
        let line = *line;
        let answer = sent.await;
        self.under_way.pop_front();
        let created = match answer {
            Ok(Ok(created)) => created,
            Ok(Err(error)) => {
                let place = format!("`{}` line {line}", self.source);
                return Err(Failure::from(error).about(&place));
            }
            Err(error) => return Err(Failure::new(format!("cannot send line {line}: {error}"))),
        };
        self.sent += 1;
        self.known += u64::from(created.is_replayed);
        self.listing.add(&[created.document])
    }

    fn finish(self) -> Result<u64> {
        self.listing.finish()
    }

    fn end(self, failure: Option<Failure>) -> Result {
        let (sent, known) = (self.sent, self.known);
        let is_repeatable = self.keys.are_repeatable();
        // Where nothing arrived there is no list to end.
        if failure.is_none() || sent > 0 {
            self.finish()?;
        }
        if known > 0 {
            output::say(format_args!(
                "{known} of these {} submitted before, and left as found; `--again` submits anew",
                if known == 1 { "was" } else { "were" },
            ));
        }
        let Some(failure) = failure else {
            if sent == 0 {
                output::say("there was nothing to submit");
            }
            return Ok(Exit::Ok);
        };
        let mut hints: Vec<String> = Vec::new();
        if sent > 0 && is_repeatable {
            let sent = counted(sent, "task");
            hints.push(format!(
                "mend it and submit the whole again; what arrived ({sent}) is not made twice"
            ));
        } else {
            hints.extend(failure.hint.clone());
        }
        let page = failure.page.as_deref().unwrap_or_default();
        if failure.exit == Exit::Usage || page.ends_with("/validation") {
            hints.push("`--dry-run` tells all that is wrong, and sends nothing".to_owned());
        }
        match hints.is_empty() {
            true => Err(failure),
            false => Err(failure.hint(hints.join("; "))),
        }
    }
}
