//! Reconcilers: they compare what should be with what is, and finish what a crash left half done.
//!
//! [`Control::tick`] does what time has made due; [`Control::sweep`] looks for work that an effect
//! should have done. Both may run at any time, on any number of instances.

pub(crate) mod wrong_clock;

use std::{sync::Arc, time::Duration};

use mcpanel_domain::{
    AgentId, Namespace, TaskId, agent,
    task::{self, command::LeaseLoss},
};
use mcpanel_store::Due;
use tokio::sync::watch;

use crate::{
    Control, Error, Result, act, agents, core::Core, grants::settle, history, operations, pipelines,
};

/// Documents handled by one round, so that a burst of timers does not hold up the next look at the clock.
const BATCH: usize = 500;

/// Operations that take a step in one round. More wait their turn: each round costs some milliseconds for each.
const OPERATIONS_AT_ONCE: usize = 8;

/// How often the background loop looks at the clock at the latest.
const TICK_INTERVAL: Duration = Duration::from_millis(250);

/// Rounds of the loop between two sweeps: a sweep costs little when there is nothing to find.
const TICKS_PER_SWEEP: u32 = 20;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Documents that were changed or looked at.
    pub handled: usize,
    /// Documents that could not be handled now.
    pub failed: usize,
    /// There is more to do at once.
    pub more: bool,
}

impl Control {
    /// Does what time has made due: retries become ready, leases run out, attempts time out, deadlines pass, silent
    /// agents become suspect; assignments that outlived a short task are written; operations take their next step; the
    /// minute that is over is sampled.
    pub async fn tick(&self) -> Result<Round> {
        let mut round = Round::default();
        // First, so that a lease that was just written and has run out is among what is due.
        match settle::settle(&self.core).await {
            Ok(settled) => {
                round.more |= settled.more;
                round.failed += settled.failed;
            }
            Err(error) => {
                round.failed += 1;
                tracing::warn!(%error, "assignments cannot be written now; trying again soon");
            }
        }
        let due = self.core.store.due(self.core.now(), BATCH).await?;
        round.more |= due.len() == BATCH;
        for each in due {
            let done = match &each {
                Due::Task(namespace, id) => tick_task(&self.core, &each, namespace, id).await,
                Due::Agent(namespace, id) => tick_agent(&self.core, &each, namespace, id).await,
            };
            round.handled += 1;
            if let Err(error) = done {
                round.failed += 1;
                tracing::warn!(due = ?each, %error, "cannot do what is due; trying again soon");
                // Timers fire once: set it again, or it would be forgotten.
                self.core.store.rearm(&each, self.core.now().plus_ms(1_000));
            }
        }
        self.operate(&mut round).await?;
        round.failed += usize::from(!history::sample(&self.core).await);
        Ok(round)
    }

    /// Takes the next step of each operation that runs.
    async fn operate(&self, round: &mut Round) -> Result<()> {
        let running = self.core.store.running_operations(OPERATIONS_AT_ONCE);
        for (namespace, id) in running.await? {
            round.handled += 1;
            match operations::step(&self.core, &namespace, &id).await {
                Ok(more) => round.more |= more,
                Err(error) => {
                    round.failed += 1;
                    tracing::warn!(operation.id = %id, %error, "an operation cannot go on now; trying again soon");
                }
            }
        }
        Ok(())
    }

    /// Finds and finishes what a crash left: leases of sessions that are over, pipelines that should
    /// have gone on, tasks that wait for what will never come, answers and operations that may be
    /// forgotten; and what a clock wrote that was wrong.
    pub async fn sweep(&self) -> Result<Round> {
        let mut round = Round::default();
        if let Err(error) = wrong_clock::bring_back(&self.core, &mut round).await {
            tracing::warn!(%error, "cannot look for what a wrong clock wrote; trying again soon");
            round.failed += 1;
        }
        for (namespace, held) in self.core.store.orphaned_leases(BATCH).await? {
            agents::lose(&self.core, &namespace, &held, LeaseLoss::Superseded).await;
            round.handled += 1;
        }
        for (namespace, id) in self.core.store.unsettled_pipelines().await? {
            if let Err(error) = pipelines::advance(&self.core, &namespace, &id).await {
                tracing::warn!(pipeline.id = %id, %error, "cannot advance the pipeline; trying again soon");
                round.failed += 1;
            }
            round.handled += 1;
        }
        for (namespace, id, dependency) in self.core.store.doomed_tasks(BATCH).await? {
            let changed = self
                .core
                .change_task(&namespace, None, &id, |_, _| {
                    Ok(task::Command::CancelForDependency {
                        dependency: dependency.clone(),
                    })
                })
                .await;
            match changed {
                Ok(changed) => act::perform(&self.core, &namespace, changed.effects).await,
                Err(error) => {
                    tracing::warn!(task.id = %id, %error, "cannot cancel what waits in vain; trying again soon");
                    round.failed += 1;
                }
            }
            round.handled += 1;
        }
        // The rest of the sweep does not wait for a store that cannot purge just now.
        if let Err(error) = self.core.store.purge_idempotency(self.core.now()).await {
            tracing::warn!(%error, "outdated idempotency records stay until the next sweep");
        }
        operations::forget_old(&self.core).await?;
        Ok(round)
    }

    /// Ticks and sweeps until told to stop. Begins with a sweep: that is the recovery after a crash.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut rounds = 0_u32;
        loop {
            if rounds.is_multiple_of(TICKS_PER_SWEEP)
                && let Err(error) = self.sweep().await
            {
                tracing::warn!(%error, "a sweep failed");
            }
            rounds = rounds.wrapping_add(1);
            let busy = match self.tick().await {
                Ok(round) => round.more,
                Err(error) => {
                    tracing::warn!(%error, "a tick failed");
                    false
                }
            };
            if busy {
                tokio::task::yield_now().await;
            } else {
                tokio::select! {
                    () = tokio::time::sleep(TICK_INTERVAL) => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            }
            if *stop.borrow() {
                return;
            }
        }
    }
}

async fn tick_task(core: &Arc<Core>, due: &Due, namespace: &Namespace, id: &TaskId) -> Result<()> {
    let outcome = core
        .change_task(namespace, None, id, |_, alive_until| {
            Ok(task::Command::Tick { alive_until })
        })
        .await;
    let changed = match outcome {
        Ok(changed) => changed,
        Err(Error::Rejected(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    // A heartbeat kept its lease: look again when that runs out.
    let alive_until = core.alive_until(&changed.task).await?;
    if let Some(at) = changed.task.next_due(alive_until) {
        core.store.rearm(due, at);
    }
    act::perform(core, namespace, changed.effects).await;
    Ok(())
}

async fn tick_agent(
    core: &Arc<Core>,
    due: &Due,
    namespace: &Namespace,
    id: &AgentId,
) -> Result<()> {
    let outcome = core
        .change_agent(namespace, None, id, |agent, now| {
            Ok(agent::decide(agent, agent::Command::Tick, now)?)
        })
        .await;
    match outcome {
        Ok(agent) => {
            if let Some(at) = agent.next_due() {
                core.store.rearm(due, at);
            }
            Ok(())
        }
        Err(Error::Rejected(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
