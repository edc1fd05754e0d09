//! Sessions, heartbeats, silence.

use super::*;
use crate::{
    event::Kind,
    limits::{LEASE_TTL_MS, SUSPECT_AFTER_MS},
};

#[test]
fn a_sign_on_opens_a_session_with_sorted_capabilities() {
    let agent = agent();
    assert_eq!((agent.revision, agent.session.epoch), (1, 1));
    assert_eq!(agent.capabilities, [name("read"), name("write")]);
    assert_eq!(agent.status(0), Status::Active);
}

#[test]
fn another_sign_on_opens_another_session_of_the_same_agent() {
    let first = agent();
    let second = sign_on(Some(&first), "s2", at(500));
    assert_eq!((second.revision, second.session.epoch), (2, 2));
    assert_eq!(second.registered_at, first.registered_at);
    let refused = decide(&second, heartbeat("s1", None), at(600)).unwrap_err();
    assert!(matches!(refused, Rejection::SessionSuperseded { .. }));
    assert!(decide(&second, heartbeat("s2", None), at(600)).is_ok());
}

#[test]
fn an_operators_word_outlives_a_restart_and_draining_does_not() {
    for (before, after) in [
        (Admission::Disabled, Admission::Disabled),
        (Admission::Draining, Admission::Open),
        (Admission::Open, Admission::Open),
    ] {
        let changes = Changes {
            admission: Some(before),
            ..Changes::default()
        };
        let closed = change(&agent(), Command::Update(changes), at(10));
        assert_eq!(sign_on(Some(&closed), "s2", at(20)).admission, after);
    }
}

#[test]
fn silence_makes_an_agent_suspect_and_then_inactive() {
    let agent = agent();
    let suspect_at = at(0).plus_ms(SUSPECT_AFTER_MS);
    assert_eq!(agent.next_due(), Some(suspect_at));
    assert!(
        decision(&agent, Command::Tick, suspect_at.minus_ms(1))
            .agent
            .is_none()
    );
    let suspect = decision(&agent, Command::Tick, suspect_at);
    assert_eq!(suspect.events[0].kind, Kind::AgentSuspected);
    let suspect = suspect.agent.unwrap();
    assert_eq!(suspect.status(0), Status::Suspect);
    let inactive_at = at(0).plus_ms(LEASE_TTL_MS);
    assert_eq!(suspect.next_due(), Some(inactive_at));
    let inactive = change(&suspect, Command::Tick, inactive_at);
    assert_eq!(
        (inactive.status(0), inactive.next_due()),
        (Status::Inactive, None)
    );
}

#[test]
fn long_silence_is_found_in_one_step() {
    let inactive = change(&agent(), Command::Tick, at(0).plus_ms(LEASE_TTL_MS));
    assert_eq!(inactive.liveness, Liveness::Inactive);
}

#[test]
fn only_a_heartbeat_makes_an_agent_active_again() {
    let inactive = change(&agent(), Command::Tick, at(99_000));
    assert!(
        decision(&inactive, Command::Tick, at(99_500))
            .agent
            .is_none()
    );
    let heard = decision(&inactive, heartbeat("s1", None), at(100_000));
    assert_eq!(heard.events[0].kind, Kind::AgentRecovered);
    assert_eq!(heard.agent.unwrap().status(0), Status::Active);
}

#[test]
fn heartbeats_keep_leases_and_tell_nothing() {
    let heard = decision(&agent(), heartbeat("s1", None), at(7_000));
    assert!(heard.events.is_empty());
    let heard = heard.agent.unwrap();
    assert_eq!(heard.alive_until(), at(7_000).plus_ms(LEASE_TTL_MS));
    assert_eq!(
        heard.settings_revision, 1,
        "a heartbeat is no change of settings"
    );
}

#[test]
fn a_heartbeat_under_a_clock_that_was_set_back_takes_nothing_away() {
    let heard = change(&agent(), heartbeat("s1", None), at(50_000));
    let again = change(&heard, heartbeat("s1", None), at(10_000));
    assert_eq!(again.alive_until(), heard.alive_until());
}

#[test]
fn a_wrong_clock_that_changed_an_agent_takes_no_heartbeat_away() {
    let heard = change(&agent(), heartbeat("s1", None), at(50_000));
    let renamed = Changes {
        name: Some("other".to_owned()),
        ..Changes::default()
    };
    let changed = change(&heard, Command::Update(renamed), at(3_600_000));
    let again = change(&changed, heartbeat("s1", None), at(10_000));
    assert_eq!(again.alive_until(), heard.alive_until());
}

#[test]
fn an_agent_heard_by_a_wrong_clock_falls_silent_soon_after_the_clock_is_right() {
    let heard = change(&agent(), heartbeat("s1", None), at(365 * 24 * 3_600_000));
    let back = change(&heard, Command::Tick, at(50_000));
    assert_eq!(back.alive_until(), at(50_000).plus_ms(LEASE_TTL_MS));
    assert_eq!(back.liveness, Liveness::Active);
    let silent = change(&back, Command::Tick, back.alive_until());
    assert_eq!(silent.liveness, Liveness::Inactive);
    let again = change(&heard, heartbeat("s1", None), at(50_000));
    assert_eq!(again.alive_until(), at(50_000).plus_ms(LEASE_TTL_MS));
}

#[test]
fn an_agent_that_says_it_cannot_work_is_given_none() {
    let ill = Some(Health::Error("out of memory".to_owned()));
    let ill = change(&agent(), heartbeat("s1", ill), at(10));
    assert_eq!(ill.status(0), Status::Error);
    assert!(ill.unavailable().is_some());
    let silent_about_it = change(&ill, heartbeat("s1", None), at(20));
    assert_eq!(silent_about_it.status(0), Status::Error);
    let well = change(&ill, heartbeat("s1", Some(Health::Well)), at(20));
    assert_eq!(well.unavailable(), None);
}

#[test]
fn an_agent_is_busy_when_its_slots_are_in_use() {
    let agent = agent();
    assert_eq!(agent.status(1), Status::Active);
    assert_eq!(agent.status(2), Status::Busy);
}

#[test]
fn a_closed_or_inactive_agent_is_unavailable_and_a_suspect_one_is_not() {
    let with = |liveness, admission| Agent {
        liveness,
        admission,
        ..agent()
    };
    let free = |agent: Agent| agent.unavailable().is_none();
    assert!(free(with(Liveness::Active, Admission::Open)));
    assert!(free(with(Liveness::Suspect, Admission::Open)));
    assert!(!free(with(Liveness::Inactive, Admission::Open)));
    assert!(!free(with(Liveness::Active, Admission::Draining)));
    assert!(!free(with(Liveness::Active, Admission::Disabled)));
}

#[test]
fn an_agent_offers_what_it_can_do_together() {
    let agent = agent();
    assert!(agent.offers(&[name("read"), name("write")]));
    assert!(!agent.offers(&[name("read"), name("weigh")]));
    assert!(agent.offers(&[]));
}
