//! Random sequences of commands against what must always hold.

use proptest::prelude::*;

use super::*;
use crate::{
    limits::{ATTEMPTS_KEPT, CLOCK_AHEAD_MS_MAX},
    task::{Progress, new::Changes},
};

/// Who says something about work in hand.
#[derive(Debug, Clone, Copy)]
enum Who {
    /// The present holder, if there is one.
    Holder,
    /// The holder of the attempt so far back.
    Former(u32),
    /// Somebody who guessed.
    Guesser,
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    SetClockBack(u64),
    Heartbeat,
    EndSession,
    Assign,
    Start(Who),
    Report(Who, u8),
    Attach(Who),
    Complete(Who),
    Fail(Who, bool),
    Release(Who),
    ConfirmCancel(Who),
    LoseLease(u32, LeaseLoss),
    Cancel,
    LoseDependency,
    Replay,
    Delegate(bool),
    SetRetries(u32),
    SetDeadline(Option<u64>),
    Tick,
    TickWhenDue,
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        6 => Just(Who::Holder),
        2 => (1_u32..3).prop_map(Who::Former),
        1 => Just(Who::Guesser),
    ]
}

fn loss() -> impl Strategy<Value = LeaseLoss> {
    prop_oneof![
        Just(LeaseLoss::Superseded),
        Just(LeaseLoss::Unregistered),
        Just(LeaseLoss::Undelivered),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u64..40_000).prop_map(Step::Wait),
        1 => (1_u64..100_000).prop_map(Step::SetClockBack),
        2 => Just(Step::Heartbeat),
        1 => Just(Step::EndSession),
        6 => Just(Step::Assign),
        3 => who().prop_map(Step::Start),
        3 => (who(), 0_u8..=100).prop_map(|(who, percent)| Step::Report(who, percent)),
        1 => who().prop_map(Step::Attach),
        2 => who().prop_map(Step::Complete),
        3 => (who(), any::<bool>()).prop_map(|(who, retryable)| Step::Fail(who, retryable)),
        2 => who().prop_map(Step::Release),
        2 => who().prop_map(Step::ConfirmCancel),
        1 => (0_u32..2, loss()).prop_map(|(back, cause)| Step::LoseLease(back, cause)),
        2 => Just(Step::Cancel),
        1 => Just(Step::LoseDependency),
        3 => Just(Step::Replay),
        1 => any::<bool>().prop_map(Step::Delegate),
        1 => (0_u32..4).prop_map(Step::SetRetries),
        1 => proptest::option::of(1_u64..60_000).prop_map(Step::SetDeadline),
        3 => Just(Step::Tick),
        2 => Just(Step::TickWhenDue),
    ]
}

/// A task and what surrounds it.
struct World {
    task: Task,
    now: Timestamp,
    alive_until: Timestamp,
    proofs: Vec<Proof>,
}

impl World {
    fn new(timeout_ms: Option<u64>, deadline_ms: Option<u64>, run_at_ms: Option<u64>) -> Self {
        let mut new = wish();
        new.timeout_ms = timeout_ms;
        new.deadline = deadline_ms.map(|ms| at(0).plus_ms(ms));
        new.run_at = run_at_ms.map(|ms| at(0).plus_ms(ms));
        new.dependencies = vec![TaskId::parse("other").unwrap()];
        Self {
            task: create(&new),
            now: at(0),
            alive_until: Timestamp::ZERO,
            proofs: Vec::new(),
        }
    }

    fn held(&self, who: Who) -> Held {
        let guess = Proof {
            attempt: self.task.attempt,
            nonce: 1,
        };
        let proof = match who {
            Who::Holder => self.proofs.last().copied().unwrap_or(guess),
            Who::Former(back) => {
                let at = self.proofs.len().checked_sub(1 + back as usize);
                at.map_or(guess, |at| self.proofs[at])
            }
            Who::Guesser => guess,
        };
        Held {
            proof,
            alive_until: self.alive_until,
        }
    }

    /// The command of a step; none for those that move the surroundings.
    fn command(&mut self, step: &Step) -> Option<(Command, Option<Held>)> {
        let of = |held: Held, command: Command| Some((command, Some(held)));
        match step {
            Step::Wait(ms) => self.now = self.now.plus_ms(*ms),
            // As far as a correction is believed; what lies further back has tests of its own.
            Step::SetClockBack(ms) => {
                let earliest = self.task.updated_at.minus_ms(CLOCK_AHEAD_MS_MAX);
                self.now = self.now.minus_ms(*ms).max(earliest);
            }
            Step::Heartbeat => self.alive_until = self.now.plus_ms(LEASE_TTL_MS),
            Step::EndSession => self.alive_until = Timestamp::ZERO,
            Step::TickWhenDue => {
                if let Some(due) = self.task.next_due(self.alive_until) {
                    self.now = self.now.max(due);
                }
                return Some((tick(self.alive_until), None));
            }
            Step::Tick => return Some((tick(self.alive_until), None)),
            Step::Assign => {
                let command = Command::Assign {
                    agent_id: AgentId::parse("a").unwrap(),
                    session: SessionId::parse("s").unwrap(),
                    nonce: 1_000 + self.proofs.len() as u128,
                    lease_ttl_ms: LEASE_TTL_MS,
                };
                return Some((command, None));
            }
            Step::Start(who) => {
                let held = self.held(*who);
                return of(held, Command::Start(held));
            }
            Step::Report(who, percent) => {
                let held = self.held(*who);
                let progress = Progress {
                    percent: f64::from(*percent),
                    ..Progress::default()
                };
                return of(held, Command::Report { held, progress });
            }
            Step::Attach(who) => {
                let held = self.held(*who);
                return of(held, Command::Attach(held));
            }
            Step::Complete(who) => {
                let held = self.held(*who);
                return of(held, Command::Complete(held));
            }
            Step::Fail(who, retryable) => {
                let held = self.held(*who);
                let kind = if *retryable {
                    ErrorType::Network
                } else {
                    ErrorType::Validation
                };
                let error = error(kind);
                return of(
                    held,
                    Command::Fail {
                        held,
                        error,
                        random: 3,
                    },
                );
            }
            Step::Release(who) => {
                let held = self.held(*who);
                let reason = String::new();
                return of(held, Command::Release { held, reason });
            }
            Step::ConfirmCancel(who) => {
                let held = self.held(*who);
                return of(held, Command::ConfirmCancel(held));
            }
            Step::LoseLease(back, cause) => {
                let attempt = self.task.attempt.saturating_sub(*back);
                return Some((lose(attempt, *cause), None));
            }
            Step::Cancel => return Some((cancel(), None)),
            Step::LoseDependency => {
                let dependency = TaskId::parse("other").unwrap();
                return Some((Command::CancelForDependency { dependency }, None));
            }
            Step::Replay => return Some((Command::Replay, None)),
            Step::Delegate(somebody) => {
                let target = somebody.then(|| AgentId::parse("a").unwrap());
                return Some((Command::Delegate { target }, None));
            }
            Step::SetRetries(max_retries) => {
                let retry = RetryConfig {
                    max_retries: *max_retries,
                    ..(*self.task.retry).clone()
                };
                let changes = Changes {
                    retry: Some(Arc::new(retry)),
                    now: self.now,
                    ..Changes::default()
                };
                return Some((Command::Update(changes), None));
            }
            Step::SetDeadline(ms) => {
                let changes = Changes {
                    deadline: Some(ms.map(|ms| self.now.plus_ms(ms))),
                    now: self.now,
                    ..Changes::default()
                };
                return Some((Command::Update(changes), None));
            }
        }
        None
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let Some((command, held)) = self.command(step) else {
            return Ok(());
        };
        let is_tick = matches!(command, Command::Tick { .. });
        let is_attach = matches!(command, Command::Attach(_));
        let decided = decide(&self.task, command, self.now);
        if let Some(held) = held {
            self.check_holder(held, &decided)?;
        }
        if is_tick {
            self.check_tick(&decided)?;
        }
        let Ok(Decision {
            task: Some(next),
            events,
            ..
        }) = decided
        else {
            return Ok(());
        };
        check_change(&self.task, &next)?;
        check_shape(&next)?;
        prop_assert_eq!(
            events.is_empty(),
            is_attach,
            "every change but a file's tells of itself"
        );
        if let Some(event) = events.last() {
            prop_assert_eq!(event.status.as_deref(), Some(next.status().as_str()));
        }
        if next.attempt > self.task.attempt {
            self.proofs.push(next.lease().unwrap().proof());
        }
        self.task = next;
        Ok(())
    }

    /// Who does not hold the task, or no longer, changes nothing.
    fn check_holder(
        &self,
        held: Held,
        decided: &Result<Decision, Rejection>,
    ) -> Result<(), TestCaseError> {
        let now = self.now.max(self.task.updated_at);
        let holds = self.task.lease().is_some_and(|lease| {
            lease.proof() == held.proof && lease.expires_at.max(held.alive_until) > now
        });
        if !holds {
            let changes = decided.as_ref().is_ok_and(|decided| decided.task.is_some());
            prop_assert!(!changes, "a stale or expired lease changed the task");
        }
        Ok(())
    }

    /// A tick does something exactly when it is due.
    fn check_tick(&self, decided: &Result<Decision, Rejection>) -> Result<(), TestCaseError> {
        let now = self.now.max(self.task.updated_at);
        let due = self.task.next_due(self.alive_until);
        let changes = decided.as_ref().is_ok_and(|decided| decided.task.is_some());
        prop_assert_eq!(
            changes,
            due.is_some_and(|due| due <= now),
            "due {:?} at {:?}",
            due,
            now
        );
        Ok(())
    }
}

fn check_change(old: &Task, new: &Task) -> Result<(), TestCaseError> {
    prop_assert_eq!(new.revision, old.revision + 1);
    prop_assert!(
        old.status() != Status::Completed,
        "a completed task changed"
    );
    prop_assert!(new.updated_at >= old.updated_at);
    let runs_anew = old.status().is_terminal() && new.place.is_none();
    prop_assert!(
        new.progress.percent >= old.progress.percent || runs_anew,
        "progress fell"
    );
    prop_assert!(new.attempt == old.attempt || new.attempt == old.attempt + 1);
    if new.retry_count > old.retry_count {
        prop_assert_eq!(new.retry_count, old.retry_count + 1);
        prop_assert!(
            new.retry_count <= new.retry.max_retries,
            "more retries than allowed"
        );
    }
    if new.attempt > old.attempt {
        prop_assert_eq!(new.status(), Status::Assigned);
        prop_assert!(
            old.cancel_requested.is_none(),
            "given out, though it is to stop"
        );
    }
    Ok(())
}

/// What holds for a document on its own.
fn check_shape(task: &Task) -> Result<(), TestCaseError> {
    prop_assert!(task.attempts.len() <= ATTEMPTS_KEPT);
    prop_assert!((0.0..=100.0).contains(&task.progress.percent));
    prop_assert_eq!(task.completed_at.is_some(), task.status().is_terminal());
    if let Some(last) = task.attempts.last() {
        prop_assert_eq!(last.number, task.attempt);
        prop_assert_eq!(last.ended_at.is_none(), task.lease().is_some());
        prop_assert_eq!(last.outcome.is_none(), task.lease().is_some());
    }
    if let Some(lease) = task.lease() {
        prop_assert_eq!(lease.attempt, task.attempt);
        prop_assert_eq!(lease.started_at.is_some(), task.status() == Status::Running);
    }
    if matches!(task.status(), Status::Pending | Status::Retry) {
        prop_assert!(
            task.cancel_requested.is_none(),
            "it waits, though it is to stop"
        );
    }
    if matches!(task.status(), Status::Failed | Status::Cancelled) {
        prop_assert!(task.error.is_some(), "it ended without a reason");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_sequence_of_commands_breaks_a_rule(
        timeout_ms in proptest::option::of(1_u64..20_000),
        deadline_ms in proptest::option::of(1_u64..200_000),
        run_at_ms in proptest::option::of(1_u64..5_000),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(timeout_ms, deadline_ms, run_at_ms);
        for step in &steps {
            world.take(step)?;
        }
    }

    #[test]
    fn proofs_read_back_what_they_write(attempt in any::<u32>(), nonce in any::<u128>()) {
        let proof = Proof { attempt, nonce };
        prop_assert_eq!(Proof::parse(&proof.to_string()), Some(proof));
    }

    #[test]
    fn no_text_makes_the_proof_reader_panic(text in "\\PC*") {
        if let Some(proof) = Proof::parse(&text) {
            prop_assert_eq!(Proof::parse(&proof.to_string()), Some(proof));
        }
    }
}
