//! Pushing tasks to an agent: claim, deliver, and take back what is not accepted.
//!
//! A delivery asks for an acknowledgement. Until that came, a [`Delivery`] holds the lease and gives it back when it is
//! dropped, whatever happened: refused, not answered in time, line lost. After that the lease is the agent's own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use mcpanel_api::{
    Problem,
    socket::{Notice, TaskDelegate},
    task::Task,
};
use mcpanel_guard::Principal;
use serde_json::Value;
use socketioxide::AckError;
use tokio::time::{Instant, sleep_until};

use super::{
    acceptance::{Said, answered},
    seat::{Seat, State},
};
use crate::{
    connection::{Connection, line_error},
    end::End,
    figures::Fate,
    limits::{
        DELIVERIES_MAX, DELIVERY_PARAMETERS_BYTES_MAX, PUSH_LOOK_INTERVAL_MS, PUSH_PAUSE_MS,
        PUSH_TASKS_MAX,
    },
    ports::Desk,
};

/// Pushes until the seat is left.
pub(super) async fn run(seat: Arc<Seat>, connection: Arc<Connection>, desk: Arc<dyn Desk>) {
    let mut state = seat.watch();
    let patience = Arc::new(Patience::default());
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Closed => return,
            State::Draining => {
                // The sender is the seat, which this holds.
                let _ = state.changed().await;
                continue;
            }
            State::Open => {}
        }
        let looked = look(&seat, &connection, &desk, &patience).await;
        let (work, until) = match looked {
            Ok(Look::More) => continue,
            Ok(Look::Nothing(work)) => (Some(work), later(PUSH_LOOK_INTERVAL_MS)),
            Ok(Look::NotNow(until)) => (None, until),
            Err(problem) => {
                if let Some(end) = End::of(&problem, seat.agent()) {
                    return connection.end(end);
                }
                tracing::debug!(agent.id = %seat.agent_id(), code = problem.code, "no work for now");
                (None, later(PUSH_PAUSE_MS.0))
            }
        };
        let work = async {
            let is_woken = match work {
                // A store that dropped its end is looked at again later.
                Some(work) => work.await.is_ok(),
                None => false,
            };
            if !is_woken {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = work => {}
            () = sleep_until(until) => {}
            () = seat.nudged() => patience.nudged(),
            () = patience.settled.notified() => {}
            _ = state.changed() => {}
        }
    }
}

enum Look {
    /// There was something, and there may be more.
    More,
    /// There was nothing; this fires when there may be.
    Nothing(tokio::sync::oneshot::Receiver<()>),
    /// Nothing is asked for before this time.
    NotNow(Instant),
}

async fn look(
    seat: &Arc<Seat>,
    connection: &Arc<Connection>,
    desk: &Arc<dyn Desk>,
    patience: &Arc<Patience>,
) -> Result<Look, Box<Problem>> {
    let room = DELIVERIES_MAX.saturating_sub(patience.open.load(Ordering::Acquire));
    if let Some(until) = patience.until(room) {
        return Ok(Look::NotNow(until));
    }
    // Asked for before the look: what comes in between is not missed.
    let work = desk.work(seat.agent()).await?;
    let tasks = desk.claim(seat.agent(), room.min(PUSH_TASKS_MAX)).await?;
    if tasks.is_empty() {
        return Ok(Look::Nothing(work));
    }
    for task in tasks {
        patience.open.fetch_add(1, Ordering::AcqRel);
        let delivery = Delivery::new(task, seat.agent().clone(), desk.clone());
        let (seat, connection, patience) = (seat.clone(), connection.clone(), patience.clone());
        connection.figures.deliveries_begun.one_more();
        tokio::spawn(async move {
            let fate = deliver(&seat, &connection, delivery).await;
            connection.figures.delivered(fate);
            patience.settle(fate == Fate::Accepted);
        });
    }
    Ok(Look::More)
}

/// Delivers a task; tells what became of it.
async fn deliver(seat: &Seat, connection: &Connection, mut delivery: Delivery) -> Fate {
    let mut state = seat.watch();
    if *state.borrow_and_update() == State::Closed {
        delivery.reason = "the agent's socket ended";
        return Fate::Lost;
    }
    let notice = delegate(seat, &delivery.task, &delivery.lease);
    let body = serde_json::value::to_raw_value(&notice).expect("a task is JSON");
    let asked = connection
        .socket()
        .emit_with_ack::<_, Value>("task:delegate", &*body);
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(task.id = %delivery.task.task_id, why = ?line_error(error), "cannot deliver a task");
            delivery.reason = "the agent's socket took nothing";
            return Fate::Lost;
        }
    };
    let answer = tokio::select! {
        answer = answer => answer,
        _ = state.wait_for(|state| *state == State::Closed) => {
            delivery.reason = "the agent's socket ended";
            return Fate::Lost;
        }
    };
    match answer {
        Ok(said) => match answered(&said) {
            Said::Yes => delivery.is_accepted(),
            Said::No => {
                delivery.reason = "the agent refused it";
                Fate::Refused
            }
            Said::Unclear => {
                delivery.reason = "the agent's acknowledgement was not understood: say `{accepted: true}` or `{accepted: false, reason}`";
                Fate::Refused
            }
        },
        Err(AckError::Decode(_)) => delivery.is_accepted(),
        Err(AckError::Timeout | AckError::Socket(_)) => {
            delivery.reason = "the agent did not acknowledge it in time";
            Fate::Late
        }
    }
}

fn delegate(seat: &Seat, task: &Task, lease: &str) -> Notice<TaskDelegate> {
    let fits = task.parameters.size_bytes() <= DELIVERY_PARAMETERS_BYTES_MAX;
    Notice {
        kind: "task:delegate".to_owned(),
        timestamp: task.updated_at,
        namespace: task.namespace.clone(),
        payload: TaskDelegate {
            task_id: task.task_id.clone(),
            agent_id: seat.agent_id().clone(),
            task_type: task.task_type.clone(),
            parameters: fits.then(|| task.parameters.clone()),
            deadline: task.deadline,
            lease: lease.to_owned(),
            attempt: task.attempt,
            lease_expires_at: task.lease_expires_at,
            pipeline_id: task.pipeline_id.clone(),
            stage: task.stage,
            index: task.index,
            timeout_ms: task.timeout_ms,
            priority: task.priority,
            parameters_omitted: !fits,
        },
    }
}

/// A lease that is not the agent's yet. Dropped, it goes back.
struct Delivery {
    task: Task,
    lease: String,
    agent: Principal,
    desk: Arc<dyn Desk>,
    reason: &'static str,
    is_settled: bool,
}

impl Delivery {
    fn new(mut task: Task, agent: Principal, desk: Arc<dyn Desk>) -> Self {
        Self {
            lease: task.lease.take().unwrap_or_default(),
            task,
            agent,
            desk,
            reason: "the delivery was given up",
            is_settled: false,
        }
    }

    fn is_accepted(&mut self) -> Fate {
        self.is_settled = true;
        Fate::Accepted
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let (desk, agent, reason) = (self.desk.clone(), self.agent.clone(), self.reason);
        let (task_id, lease) = (self.task.task_id.clone(), std::mem::take(&mut self.lease));
        // Without a runtime the process ends, and the leases with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { desk.give_back(&agent, &task_id, &lease, reason).await });
        }
    }
}

/// How willing an agent is: how many deliveries wait for its word, and how often in a row it did not take one.
#[derive(Default)]
struct Patience {
    open: AtomicU32,
    misses: AtomicU32,
    paused: parking_lot::Mutex<Option<Instant>>,
    settled: tokio::sync::Notify,
}

impl Patience {
    /// When to ask for work again; `None` is now.
    fn until(&self, room: u32) -> Option<Instant> {
        if room == 0 {
            return Some(later(PUSH_LOOK_INTERVAL_MS));
        }
        self.paused.lock().filter(|until| *until > Instant::now())
    }

    fn settle(&self, is_accepted: bool) {
        self.open.fetch_sub(1, Ordering::AcqRel);
        if is_accepted {
            self.misses.store(0, Ordering::Release);
            *self.paused.lock() = None;
        } else {
            let misses = self.misses.fetch_add(1, Ordering::AcqRel);
            let (shortest, longest) = PUSH_PAUSE_MS;
            let pause = (shortest << misses.min(16)).min(longest);
            *self.paused.lock() = Some(later(pause));
        }
        self.settled.notify_one();
    }

    /// The agent is heard: the pause after one missed delivery is over, that after several is not.
    fn nudged(&self) {
        if self.misses.load(Ordering::Acquire) <= 1 {
            *self.paused.lock() = None;
        }
    }
}

fn later(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_tasks_is_asked_less_and_less() {
        let patience = Patience::default();
        assert_eq!(patience.until(1), None);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            patience.open.fetch_add(1, Ordering::AcqRel);
            patience.settle(false);
            let until = patience.until(1).expect("it pauses");
            pauses.push((until - Instant::now()).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        patience.nudged();
        assert!(
            patience.until(1).is_some(),
            "a heartbeat alone is not enough"
        );
        patience.open.fetch_add(1, Ordering::AcqRel);
        patience.settle(true);
        assert_eq!(patience.until(1), None);
    }
}
