//! One assignment, from its beginning to the report of its end.

use std::sync::Arc;

use mcpanel_api::{
    ErrorType,
    task::{Complete, Fail, Release, Start, Task},
};

use super::{
    Assignment, Failure, Handler, Outcome, Standing,
    held::{Held, Shared},
    reporter::Pending,
};
use crate::{Client, Error, Result};

/// Works on a claimed task and reports how it ended.
pub(super) async fn to_the_end(
    shared: &Shared,
    held: &Arc<Held>,
    task: Task,
    handler: Option<Handler>,
) {
    let client = &shared.session.client;
    let start = Start {
        lease: held.lease.clone(),
    };
    if let Err(error) = client.start_task(&held.task_id, &start).await
        && is_lost(&error)
    {
        held.tell(Standing::Lost);
        return;
    }
    let Some(handler) = handler else {
        let message = format!("this agent has no handler for `{}`", task.task_type);
        let failure = Failure::new(ErrorType::BusinessLogic, message);
        return settle(client, held, Err(failure)).await;
    };
    let pending = Arc::new(Pending::default());
    let assignment = Assignment {
        task: Arc::new(task),
        held: held.clone(),
        client: client.clone(),
        pending: pending.clone(),
        standing: held.watch(),
    };
    // Its own task, so that a panic ends the handler alone.
    let mut work = tokio::spawn(handler(assignment));
    let mut last_sent = None;
    let outcome = loop {
        tokio::select! {
            joined = &mut work => {
                break joined.unwrap_or_else(|error| Err(Failure::of_join(&error)));
            }
            // Sent in the branch, not in the race: a report that is under way when the work ends is sent to its end.
            () = pending.due(last_sent) => {
                if let Err(error) = pending.flush(client, held).await {
                    // The heart hears what is lost; the next report may arrive again.
                    tracing::debug!(task.id = %held.task_id, error = %error.chain(), "a report failed");
                }
                last_sent = Some(tokio::time::Instant::now());
            }
        }
    };
    if let Err(error) = pending.flush(client, held).await {
        tracing::debug!(task.id = %held.task_id, error = %error.chain(), "the last report failed");
    }
    settle(client, held, outcome).await;
}

/// Reports how the work ended, as far as that is still of interest.
async fn settle(client: &Client, held: &Held, outcome: Outcome) {
    let reported = match (held.standing(), outcome) {
        (Standing::Lost, _) => return,
        (_, Ok(result)) => complete(client, held, result).await,
        (Standing::Working, Err(failure)) => fail(client, held, failure).await,
        (Standing::Stopping, Err(_)) => release(client, held).await,
        (Standing::CancelRequested, Err(_)) => client
            .confirm_cancel(&held.task_id, &held.lease)
            .await
            .map(|_| ()),
    };
    match reported {
        Ok(()) => {}
        Err(error) if is_lost(&error) => {
            tracing::info!(task.id = %held.task_id, error = %error.chain(), "the lease was lost before the report");
        }
        Err(error) => {
            tracing::warn!(task.id = %held.task_id, error = %error.chain(), "a task cannot be reported; its lease will end");
        }
    }
}

async fn complete(client: &Client, held: &Held, result: mcpanel_api::Payload) -> Result<()> {
    let complete = Complete {
        lease: held.lease.clone(),
        result: Some(result),
    };
    match client.complete_task(&held.task_id, &complete).await {
        Ok(_) => Ok(()),
        // The result itself is refused (too large, no object): said as the task's failure, or it would be tried
        // for ever.
        Err(error) if matches!(error.status(), Some(400 | 413 | 422)) => {
            let message = format!("the result was refused: {error}");
            fail(
                client,
                held,
                Failure::new(ErrorType::BusinessLogic, message),
            )
            .await
        }
        Err(error) => Err(error),
    }
}

async fn fail(client: &Client, held: &Held, failure: Failure) -> Result<()> {
    let fail = Fail {
        lease: held.lease.clone(),
        error: failure.into(),
    };
    client.fail_task(&held.task_id, &fail).await.map(|_| ())
}

async fn release(client: &Client, held: &Held) -> Result<()> {
    let release = Release {
        lease: held.lease.clone(),
        reason: Some("the agent shuts down".to_owned()),
    };
    client
        .release_task(&held.task_id, &release)
        .await
        .map(|_| ())
}

/// Gives back what handlers that do not stop still hold.
pub(super) async fn give_back_all(shared: &Shared) {
    for held in shared.all() {
        if held.standing() == Standing::Lost {
            continue;
        }
        if let Err(error) = release(&shared.session.client, &held).await {
            tracing::warn!(task.id = %held.task_id, error = %error.chain(), "cannot give a task back; its lease will end");
        }
        held.tell(Standing::Lost);
    }
}

/// Whether the error says that the lease holds the task no more.
fn is_lost(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            "stale_lease"
                | "lease_expired"
                | "session_superseded"
                | "not_found"
                | "invalid_transition"
        )
    )
}
