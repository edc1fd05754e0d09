//! Rules broken on purpose are noticed, each by the promise that it breaks.

use mcpanel_sim::{Ground, Mutation, Options, Promise, simulate};

/// Seeds within which a broken rule must show. Most do within ten; a queue must first invent a task that waits.
const SEEDS: u64 = 300;

/// The first promise that a broken rule breaks, and the seed with which it does.
fn caught(mutation: Mutation) -> (u64, Promise) {
    caught_on(Ground::Embedded, mutation)
}

fn caught_on(ground: Ground, mutation: Mutation) -> (u64, Promise) {
    let options = Options {
        ground,
        mutation: Some(mutation),
        ..Options::default()
    };
    let failure = (0..SEEDS)
        .find_map(|seed| simulate(seed, options).err())
        .unwrap_or_else(|| panic!("{mutation} goes unnoticed for {SEEDS} seeds"));
    let text = failure.to_string();
    let on = match ground {
        Ground::Embedded => "",
        Ground::Distributed => " --ground distributed",
    };
    let again = format!("--seed {}{on} --mutation {mutation}", failure.seed);
    assert!(
        text.contains(&again),
        "it does not say how to repeat it: {text}"
    );
    assert!(!failure.trace.is_empty(), "it does not show what happened");
    (failure.seed, failure.violation.promise)
}

#[test]
fn a_skipped_fencing_check_is_noticed() {
    assert_eq!(
        caught(Mutation::SkipFencing).1,
        Promise::StaleLeaseChangesNothing
    );
}

#[test]
fn an_acknowledgement_before_the_flush_is_noticed() {
    assert_eq!(
        caught(Mutation::AckBeforeFlush).1,
        Promise::NothingAcknowledgedIsLost
    );
}

#[test]
fn a_torn_commit_is_noticed() {
    assert_eq!(
        caught(Mutation::TornCommit).1,
        Promise::EveryChangeHasItsEvent
    );
}

#[test]
fn a_write_over_a_newer_one_is_noticed() {
    let promise = caught(Mutation::IgnoreRevisions).1;
    let plausible = [
        Promise::CompletesAtMostOnce,
        Promise::StaleLeaseChangesNothing,
        Promise::ChangesAreLawful,
        Promise::ProgressNeverFalls,
    ];
    assert!(plausible.contains(&promise), "{promise}");
}

#[test]
fn a_lost_event_is_noticed() {
    assert_eq!(
        caught(Mutation::LoseEvents).1,
        Promise::EveryChangeHasItsEvent
    );
}

#[test]
fn work_given_out_too_early_is_noticed() {
    assert_eq!(
        caught(Mutation::IgnoreDependencies).1,
        Promise::DependenciesComeFirst
    );
}

#[test]
fn overfilled_slots_are_noticed() {
    assert_eq!(caught(Mutation::OverfillSlots).1, Promise::SlotsNeverLeak);
}

#[test]
fn falling_progress_is_noticed() {
    assert_eq!(
        caught(Mutation::ProgressFalls).1,
        Promise::ProgressNeverFalls
    );
}

#[test]
fn a_forgotten_timer_is_noticed() {
    let promise = caught(Mutation::ForgetTimers).1;
    let plausible = [Promise::DerivedStateIsRight, Promise::EverythingEnds];
    assert!(plausible.contains(&promise), "{promise}");
}

#[test]
fn endless_retries_are_noticed() {
    assert_eq!(
        caught(Mutation::RetryForEver).1,
        Promise::RetriesStayWithinPolicy
    );
}

#[test]
fn broken_rules_are_noticed_where_several_servers_meet() {
    let lawless = [
        Promise::CompletesAtMostOnce,
        Promise::StaleLeaseChangesNothing,
        Promise::ChangesAreLawful,
        Promise::ProgressNeverFalls,
        Promise::EveryChangeHasItsEvent,
    ];
    for (mutation, plausible) in [
        (
            Mutation::SkipFencing,
            &[Promise::StaleLeaseChangesNothing][..],
        ),
        (Mutation::IgnoreRevisions, &lawless),
        (Mutation::TornCommit, &[Promise::EveryChangeHasItsEvent]),
        (Mutation::OverfillSlots, &[Promise::SlotsNeverLeak]),
        (Mutation::AckUnknown, &[Promise::NothingAcknowledgedIsLost]),
        (Mutation::TrustQueue, &[Promise::DependenciesComeFirst]),
        (Mutation::NeverVerify, &[Promise::EverythingEnds]),
        (
            Mutation::BelieveLeases,
            &[Promise::StaleLeaseChangesNothing],
        ),
    ] {
        let (seed, promise) = caught_on(Ground::Distributed, mutation);
        assert!(
            plausible.contains(&promise),
            "{mutation}, seed {seed}: {promise}"
        );
    }
}
