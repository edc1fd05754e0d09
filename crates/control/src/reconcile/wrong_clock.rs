//! Documents that a wrong clock wrote.
//!
//! A server whose clock stood far ahead writes heartbeats and leases of a time that is long in coming. Once the clock is
//! right again no timer would touch them: a dead agent would keep its tasks for as long as the clock was ahead. So
//! they are looked for, and ticked, which brings them back (see [`Timestamp::is_from_a_wrong_clock`]).

use std::sync::atomic::{AtomicI64, Ordering};

use mcpanel_domain::{
    Namespace, Timestamp, agent,
    task::{self, Status},
};
use mcpanel_store::query::{Page, TaskFilter};

use super::Round;
use crate::{Result, core::Core};

/// Tasks looked at together.
const PAGE: usize = 500;

/// Notices that the clock was set back.
pub(crate) struct ClockWatch(AtomicI64);

impl Default for ClockWatch {
    /// A process that has just begun does not know how the clock stood before.
    fn default() -> Self {
        Self(AtomicI64::new(Timestamp::MAX.as_ms()))
    }
}

impl ClockWatch {
    /// Whether the clock may have been set back, by more than is waited for, since it was last asked.
    fn was_set_back(&self, now: Timestamp) -> bool {
        let before = Timestamp::from_ms(self.0.swap(now.as_ms(), Ordering::Relaxed));
        before.is_from_a_wrong_clock(now)
    }

    /// To be asked again: what should have followed did not happen.
    fn forget(&self) {
        self.0.store(Timestamp::MAX.as_ms(), Ordering::Relaxed);
    }
}

/// Brings back what a wrong clock wrote. Agents are few and looked at each time; another instance may have been the
/// one whose clock was wrong. Tasks are looked through when this one's was.
pub(super) async fn bring_back(core: &Core, round: &mut Round) -> Result<()> {
    let set_back = core.clock_watch.was_set_back(core.now());
    let outcome = look_through(core, set_back, round).await;
    if outcome.is_err() && set_back {
        core.clock_watch.forget();
    }
    outcome
}

async fn look_through(core: &Core, set_back: bool, round: &mut Round) -> Result<()> {
    for namespace in core.store.namespaces().await? {
        let mut wrong = set_back;
        for each in core.store.agents(&namespace).await? {
            if !each
                .session
                .last_heartbeat
                .is_from_a_wrong_clock(core.now())
            {
                continue;
            }
            wrong = true;
            round.handled += 1;
            let tick =
                |agent: &agent::Agent, now| Ok(agent::decide(agent, agent::Command::Tick, now)?);
            if let Err(error) = core.change_agent(&namespace, None, &each.id, tick).await {
                tracing::warn!(agent.id = %each.id, %error, "cannot bring an agent's heartbeat back to the present");
                round.failed += 1;
            }
        }
        if wrong {
            tasks(core, &namespace, round).await?;
        }
    }
    Ok(())
}

async fn tasks(core: &Core, namespace: &Namespace, round: &mut Round) -> Result<()> {
    let filter = TaskFilter {
        statuses: vec![Status::Assigned, Status::Running, Status::Retry],
        ..TaskFilter::default()
    };
    let mut page = Page::first(PAGE);
    loop {
        let listing = core.store.list_tasks(namespace, &filter, &page).await?;
        for each in listing.items {
            if !each.updated_at.is_from_a_wrong_clock(core.now()) {
                continue;
            }
            round.handled += 1;
            let tick = |_: &task::Task, alive_until| Ok(task::Command::Tick { alive_until });
            if let Err(error) = core.change_task(namespace, None, &each.id, tick).await {
                tracing::warn!(task.id = %each.id, %error, "cannot bring a task back to the present");
                round.failed += 1;
            }
        }
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return Ok(()),
        }
    }
}
