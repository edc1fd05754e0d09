//! Reads what happens in a namespace, and tells it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mcpanel_api::socket::Resync;
use serde_json::value::to_raw_value;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Channel, Hub, Outlet, catch_up, state::Aftermath, told::Told};
use crate::{
    limits::{EMPTY_KEPT_MS, EVENTS_READ_MAX, LOOK_PAUSE_MS, READ_RETRY_MS_MAX},
    ports::Page,
};

/// The event that says that events are missing.
pub(crate) const RESYNC: &str = "resync";

/// Events told in one go before others get at the channel.
const TOLD_AT_ONCE: usize = 16;

/// Runs until the channel is forgotten, or nothing can happen any more.
pub(super) async fn run(hub: Weak<Hub>, channel: Arc<Channel>) {
    let mut newest = channel.follow.watch();
    let mut failures = 0;
    loop {
        newest.mark_unchanged();
        let looked = Instant::now();
        let position = channel.state.lock().position();
        let page = channel
            .follow
            .read(&channel.namespace, position, EVENTS_READ_MAX)
            .await;
        match page {
            Ok(page) => {
                failures = 0;
                let more = page.scanned_to < page.last;
                tell(&channel, page).await;
                if more {
                    continue;
                }
            }
            Err(problem) => {
                tracing::warn!(
                    code = problem.code,
                    detail = problem.detail,
                    "cannot read events; trying again"
                );
                failures += 1;
                sleep(Duration::from_millis(
                    (50 << failures.min(10)).min(READ_RETRY_MS_MAX),
                ))
                .await;
                continue;
            }
        }
        match timeout(Duration::from_millis(EMPTY_KEPT_MS), newest.changed()).await {
            // Who changes something after a while of nothing is heard of at once; many small changes become one look.
            Ok(Ok(())) => sleep_until(looked + Duration::from_millis(LOOK_PAUSE_MS)).await,
            Ok(Err(_)) => return,
            Err(_) => {}
        }
        let Some(hub) = hub.upgrade() else { return };
        if channel.state.lock().is_empty() && hub.forget(&channel) {
            return;
        }
    }
}

async fn tell(channel: &Arc<Channel>, page: Page) {
    let position = channel.state.lock().position();
    if is_lost(position, &page) {
        let outlets = channel.state.lock().begin_anew(page.last);
        channel.reached.send_replace(page.last);
        for outlet in outlets {
            resync(&*outlet, page.last);
        }
        return;
    }
    let events: Vec<Arc<Told>> = page.events.into_iter().map(Told::of).collect();
    for some in events.chunks(TOLD_AT_ONCE) {
        let mut aftermath = Aftermath::default();
        {
            let mut state = channel.state.lock();
            for told in some {
                state.tell(told, &mut aftermath);
            }
        }
        for id in aftermath.behind {
            tokio::spawn(catch_up::run(channel.clone(), id));
        }
        for (outlet, told) in aftermath.concerned {
            outlet.concerns(&told.event);
        }
        tokio::task::yield_now().await;
    }
    let position = {
        let mut state = channel.state.lock();
        state.reach(page.scanned_to);
        state.position()
    };
    channel.reached.send_replace(position);
}

/// Whether events after `after` are gone, or the log never came as far as that.
pub(super) fn is_lost(after: u64, page: &Page) -> bool {
    after > page.last || after > 0 && page.first_kept > after + 1
}

/// Says that events are missing. A line that is full hears of it with the next subscription: it is ended soon.
pub(super) fn resync(outlet: &dyn Outlet, last_seq: u64) {
    let body = to_raw_value(&Resync { last_seq }).expect("a number is JSON");
    if let Err(why) = outlet.tell(RESYNC, &body) {
        outlet.lost(why);
    }
}
