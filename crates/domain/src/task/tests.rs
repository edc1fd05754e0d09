//! The rules of tasks, one by one and against random sequences of commands.

mod deadlines;
mod ending;
mod leases;
mod new;
mod properties;
mod searching;
mod steering;

use std::sync::Arc;

use super::{
    Command, Decision, NewTask, Place, Proof, Status, Task, TaskError,
    command::{Held, LeaseLoss},
    decide,
};
use crate::{
    AgentId, Name, Namespace, PipelineId, Rejection, SessionId, TaskId, Timestamp,
    limits::LEASE_TTL_MS,
    retry::{BackoffStrategy, ErrorType, RetryConfig},
};

/// A moment of the tests.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_000_000 + ms)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn wish() -> NewTask {
    let mut new = NewTask::of_type(TaskId::parse("t").unwrap(), name("weigh"));
    new.retry = Arc::new(RetryConfig {
        max_retries: 2,
        initial_delay: 1_000,
        max_delay: 1_000,
        backoff_strategy: BackoffStrategy::Fixed,
        retryable_errors: vec![ErrorType::Network],
    });
    new
}

fn create(new: &NewTask) -> Task {
    let decision = new.create(&Namespace::default_namespace(), &Arc::from("tests"), at(0));
    decision.task.unwrap()
}

fn in_a_pipeline() -> Task {
    let mut new = wish();
    new.place = Some(Place {
        pipeline_id: PipelineId::parse("p").unwrap(),
        stage: 1,
        index: 0,
        run: 1,
    });
    create(&new)
}

fn assign(agent: &str) -> Command {
    Command::Assign {
        agent_id: AgentId::parse(agent).unwrap(),
        session: SessionId::parse("s").unwrap(),
        nonce: 7,
        lease_ttl_ms: LEASE_TTL_MS,
    }
}

/// The loss of this attempt's lease, for the session that [`assign`] names.
fn lose(attempt: u32, cause: LeaseLoss) -> Command {
    Command::LoseLease {
        session: SessionId::parse("s").unwrap(),
        attempt,
        cause,
    }
}

/// The change that must follow.
fn change(task: &Task, command: Command, now: Timestamp) -> Task {
    decision(task, command, now).task.unwrap()
}

fn decision(task: &Task, command: Command, now: Timestamp) -> Decision {
    decide(task, command, now).unwrap()
}

fn refusal(task: &Task, command: Command, now: Timestamp) -> Rejection {
    decide(task, command, now).unwrap_err()
}

fn is_unchanged(task: &Task, command: Command, now: Timestamp) -> bool {
    let decision = decision(task, command, now);
    decision.task.is_none() && decision.events.is_empty() && decision.effects.is_empty()
}

/// A holder without heartbeats: its lease lasts as long as it was granted for.
fn held(task: &Task) -> Held {
    held_until(task, Timestamp::ZERO)
}

fn held_until(task: &Task, alive_until: Timestamp) -> Held {
    Held {
        proof: task.lease().unwrap().proof(),
        alive_until,
    }
}

fn shows(proof: Proof) -> Held {
    Held {
        proof,
        alive_until: Timestamp::MAX,
    }
}

fn error(kind: ErrorType) -> TaskError {
    TaskError::new(kind, "it did not work")
}

fn fail(task: &Task, kind: ErrorType) -> Command {
    Command::Fail {
        held: held(task),
        error: error(kind),
        // The longest that jitter gives for a delay of a second.
        random: 500,
    }
}

fn cancel() -> Command {
    Command::Cancel {
        by: "operator".to_owned(),
        reason: Some("enough".to_owned()),
    }
}

fn tick(alive_until: Timestamp) -> Command {
    Command::Tick { alive_until }
}

fn assigned() -> Task {
    change(&create(&wish()), assign("a"), at(10))
}

fn running() -> Task {
    let task = assigned();
    change(&task, Command::Start(held(&task)), at(20))
}

fn stopping() -> Task {
    change(&running(), cancel(), at(30))
}

fn retrying() -> Task {
    let task = running();
    change(&task, fail(&task, ErrorType::Network), at(40))
}

fn completed() -> Task {
    let task = running();
    change(&task, Command::Complete(held(&task)), at(40))
}

fn failed() -> Task {
    let task = running();
    change(&task, fail(&task, ErrorType::Validation), at(40))
}

fn cancelled() -> Task {
    change(&create(&wish()), cancel(), at(40))
}

/// A task in each state that there is.
fn in_every_state() -> Vec<Task> {
    let tasks = vec![
        create(&wish()),
        assigned(),
        running(),
        stopping(),
        retrying(),
        completed(),
        failed(),
        cancelled(),
    ];
    for status in Status::ALL {
        assert!(
            tasks.iter().any(|task| task.status() == status),
            "{status:?}"
        );
    }
    tasks
}
