//! Telling a member what it has not been told, at the speed at which it reads.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    Channel, LineError, MemberId, Outlet,
    leg::{Leg, Step},
    pump::{is_lost, resync},
    told::Told,
};
use crate::limits::{EVENTS_READ_MAX, LINE_RETRY_MS, READ_RETRY_MS_MAX};

/// Runs until the member is level, or gone.
pub(super) async fn run(channel: Arc<Channel>, id: MemberId) {
    let mut failures = 0;
    loop {
        let step = channel.state.lock().step(id);
        let leg = match step {
            Step::Level | Step::Gone => return,
            Step::Tell(leg) => leg,
            Step::Read(from) => match read(&channel, id, from).await {
                Ok(Some(leg)) => leg,
                Ok(None) => return,
                Err(()) => {
                    failures += 1;
                    sleep(Duration::from_millis(
                        (50 << failures.min(10)).min(READ_RETRY_MS_MAX),
                    ))
                    .await;
                    continue;
                }
            },
        };
        failures = 0;
        if let Err(why) = tell(&leg, channel.stuck).await {
            channel.leave(id);
            leg.outlet.lost(why);
            return;
        }
        channel.state.lock().advance(id, &leg);
    }
}

/// The next leg from the log; `None` when there is no more to do.
async fn read(channel: &Channel, id: MemberId, from: u64) -> Result<Option<Leg>, ()> {
    let page = channel
        .follow
        .read(&channel.namespace, from, EVENTS_READ_MAX)
        .await;
    let page = page.map_err(|problem| {
        tracing::warn!(
            code = problem.code,
            detail = problem.detail,
            "cannot read events; trying again"
        );
    })?;
    // What is gone cannot be told. A number of another log was refused when the member came.
    if is_lost(from, &page) {
        let given_up = channel.state.lock().give_up(id);
        if let Some((outlet, position)) = given_up {
            resync(&*outlet, position);
        }
        return Ok(None);
    }
    let events = page.events.into_iter().map(Told::of).collect();
    let step = channel.state.lock().select(id, events, page.scanned_to);
    Ok(match step {
        Step::Tell(leg) => Some(leg),
        Step::Level | Step::Gone | Step::Read(_) => None,
    })
}

/// Tells a leg, waiting for the line to take it.
async fn tell(leg: &Leg, stuck: Duration) -> Result<(), LineError> {
    for told in &leg.events {
        tell_one(&*leg.outlet, told, stuck).await?;
    }
    Ok(())
}

async fn tell_one(outlet: &dyn Outlet, told: &Told, stuck: Duration) -> Result<(), LineError> {
    let (shortest, longest) = LINE_RETRY_MS;
    let mut pause = shortest;
    let stuck_at = Instant::now() + stuck;
    loop {
        match outlet.tell(&told.event.kind, &told.text) {
            Err(LineError::Full) if Instant::now() < stuck_at => {
                sleep(Duration::from_millis(pause)).await;
                pause = (pause * 2).min(longest);
            }
            outcome => return outcome,
        }
    }
}
