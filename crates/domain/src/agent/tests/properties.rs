//! Random sequences of commands against what must always hold.

use proptest::prelude::*;

use super::*;
use crate::limits::CLOCK_AHEAD_MS_MAX;

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    SetClockBack(u64),
    SignOn,
    Heartbeat { former: bool, ill: bool },
    Close(bool),
    Tick,
    TickWhenDue,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u64..40_000).prop_map(Step::Wait),
        1 => (1_u64..100_000).prop_map(Step::SetClockBack),
        1 => Just(Step::SignOn),
        4 => (any::<bool>(), any::<bool>())
            .prop_map(|(former, ill)| Step::Heartbeat { former, ill }),
        1 => any::<bool>().prop_map(Step::Close),
        2 => Just(Step::Tick),
        3 => Just(Step::TickWhenDue),
    ]
}

/// Takes a step; answers with the agent after it.
fn take(agent: &Agent, step: &Step, now: &mut Timestamp) -> Result<Agent, TestCaseError> {
    let command = match step {
        Step::Wait(ms) => {
            *now = now.plus_ms(*ms);
            return Ok(agent.clone());
        }
        Step::SetClockBack(ms) => {
            // As far as a correction is believed; what lies further back has tests of its own.
            *now = now
                .minus_ms(*ms)
                .max(agent.updated_at.minus_ms(CLOCK_AHEAD_MS_MAX));
            return Ok(agent.clone());
        }
        Step::SignOn => {
            let next = sign_on(Some(agent), &format!("s{}", agent.session.epoch + 1), *now);
            prop_assert_eq!(next.session.epoch, agent.session.epoch + 1);
            prop_assert_eq!(next.liveness, Liveness::Active);
            return Ok(next);
        }
        Step::Heartbeat { former, ill } => {
            let epoch = agent.session.epoch - u32::from(*former);
            let health = ill.then(|| Health::Error("ill".to_owned()));
            heartbeat(&format!("s{epoch}"), health)
        }
        Step::Close(closed) => {
            let admission = if *closed {
                Admission::Disabled
            } else {
                Admission::Open
            };
            Command::Update(Changes {
                admission: Some(admission),
                ..Changes::default()
            })
        }
        Step::TickWhenDue => {
            if let Some(due) = agent.next_due() {
                *now = due.max(*now);
            }
            Command::Tick
        }
        Step::Tick => Command::Tick,
    };
    let is_tick = matches!(command, Command::Tick);
    let decided = decide(agent, command, *now);
    if let Step::Heartbeat { former: true, .. } = step {
        prop_assert!(decided.is_err(), "a former session was heard");
    }
    let decided = decided.ok().and_then(|decided| decided.agent);
    if is_tick {
        let seen = agent.updated_at.max(*now);
        let due = agent.next_due().is_some_and(|due| due <= seen);
        prop_assert_eq!(
            decided.is_some(),
            due,
            "a tick does something when it is due"
        );
    }
    Ok(decided.unwrap_or_else(|| agent.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_sequence_of_commands_breaks_a_rule(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut agent = agent();
        let mut now = at(0);
        for step in &steps {
            let next = take(&agent, step, &mut now)?;
            if next != agent {
                prop_assert_eq!(next.revision, agent.revision + 1);
                prop_assert!(next.settings_revision >= agent.settings_revision);
                prop_assert!(next.updated_at >= agent.updated_at);
                prop_assert!(next.session.last_heartbeat >= agent.session.last_heartbeat);
                prop_assert!(next.alive_until() >= agent.alive_until());
            }
            agent = next;
        }
    }
}
