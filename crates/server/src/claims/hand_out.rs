//! Granting leases, and waiting for something to grant.

use std::time::Duration;

use mcpanel_control::{Claim, Claimed, Scope};
use tokio::{sync::oneshot, time::Instant};

use super::{delivery::Delivery, granted::Granted};
use crate::{
    app::App,
    error::{ApiError, ApiResult},
    limits::CLAIM_LOOK_INTERVAL_MS,
};

/// Grants what there is; when there is nothing, waits for at most `wait`, then answers with nothing.
///
/// The future may be dropped at any moment: leases that it was granted go back then.
pub async fn hand_out(app: App, scope: Scope, claim: Claim, wait: Duration) -> ApiResult<Delivery> {
    let (answer, answered) = oneshot::channel();
    tokio::spawn(async move {
        let mut answer = answer;
        let outcome = match look(&app, &scope, &claim).await {
            Ok(leases) if leases.is_empty() && !wait.is_zero() => {
                wait_for_work(&app, &scope, &claim, wait, &mut answer).await
            }
            outcome => outcome,
        };
        let granted = outcome.map(|leases| Granted::new(app.control.tasks.clone(), scope, leases));
        // Nobody there to take it: dropping it here gives the leases back.
        drop(answer.send(granted));
    });
    match answered.await {
        Ok(granted) => Delivery::of(granted?),
        Err(_) => Err(ApiError::internal("a claim ended without an outcome")),
    }
}

async fn look(app: &App, scope: &Scope, claim: &Claim) -> ApiResult<Vec<Claimed>> {
    Ok(app.control.tasks.claim(scope, claim).await?)
}

/// Looks again whenever there may be something, until there is, or the time is up, the server stops, or the caller is gone.
async fn wait_for_work<T>(
    app: &App,
    scope: &Scope,
    claim: &Claim,
    wait: Duration,
    answer: &mut oneshot::Sender<T>,
) -> ApiResult<Vec<Claimed>> {
    let _place = app.waiting.enter(&scope.namespace, &claim.agent_id)?;
    let end = Instant::now() + wait;
    loop {
        // Asked for before the look: what becomes ready in between is not missed.
        let woken = app.control.tasks.wait_ready(scope, claim).await?;
        let leases = look(app, scope, claim).await?;
        if !leases.is_empty() || Instant::now() >= end {
            return Ok(leases);
        }
        let next_look = Instant::now() + Duration::from_millis(CLAIM_LOOK_INTERVAL_MS);
        tokio::select! {
            _ = woken => {}
            () = tokio::time::sleep_until(end.min(next_look)) => {}
            () = app.stop.begun() => return Ok(Vec::new()),
            () = answer.closed() => return Ok(Vec::new()),
        }
    }
}
