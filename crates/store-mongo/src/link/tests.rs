use std::time::Duration;

use super::{
    Address, InvalidAddress,
    circuit::{Circuit, Parts, Verdict},
};

#[test]
fn addresses_are_one_server_or_a_cluster() {
    let one = Address::parse("redis://127.0.0.1:6379/2").unwrap();
    assert!(!one.is_cluster());
    assert_eq!(one.nodes(), ["redis://127.0.0.1:6379/2"]);
    for text in [
        "redis+cluster://a:1,b:2",
        "redis://a:1,redis://b:2",
        "redis://a:1,b:2",
    ] {
        let cluster = Address::parse(text).unwrap();
        assert!(cluster.is_cluster(), "{text}");
        assert_eq!(cluster.nodes(), ["redis://a:1", "redis://b:2"], "{text}");
    }
    assert!(Address::parse("redis+cluster://a:1").unwrap().is_cluster());
    let safe = Address::parse("rediss+cluster://a:1").unwrap();
    assert_eq!(safe.nodes(), ["rediss://a:1"]);
}

#[test]
fn credentials_hold_for_all_nodes_and_are_never_shown() {
    let address = Address::parse("redis+cluster://me:s3cret@a:1,b:2").unwrap();
    assert_eq!(address.nodes()[1], "redis://me:s3cret@b:2");
    assert_eq!(address.to_string(), "cluster a:1,b:2");
    assert!(!format!("{address:?}").contains("s3cret"));
}

#[test]
fn wrong_addresses_say_what_would_be_right() {
    for text in ["", "localhost:6379", "http://localhost", "redis//x"] {
        assert_eq!(Address::parse(text), Err(InvalidAddress::Scheme), "{text}");
    }
    assert_eq!(
        Address::parse("redis://"),
        Err(InvalidAddress::Node { number: 1 })
    );
    assert_eq!(
        Address::parse("redis://a:1,b:2/3"),
        Err(InvalidAddress::Database { number: 2 })
    );
}

#[test]
fn the_circuit_opens_after_failures_in_a_row_alone() {
    let mut circuit = Circuit::new(2);
    let well = Verdict::Well(Duration::from_millis(1));
    assert!(!circuit.note(Verdict::Slow));
    assert!(!circuit.note(well));
    assert!(!circuit.note(Verdict::Slow));
    assert!(circuit.note(Verdict::Slow));
    circuit.close();
    assert!(!circuit.note(Verdict::Refused));
    assert!(circuit.note(Verdict::Gone), "a broken connection is enough");
    assert_eq!(circuit.health(false, None).opened, 2);
}

#[test]
fn a_part_that_is_away_is_spared_and_the_others_are_not() {
    let mut parts = Parts::default();
    let well = Some(Verdict::Well(Duration::from_millis(1)));
    for _ in 0..2 {
        assert!(!parts.is_spared("here"));
        parts.note("here", Some(Verdict::Slow));
        parts.note("there", well);
    }
    assert!(parts.is_spared("here"));
    assert!(!parts.is_spared("there"));
    parts.note("here", well);
    assert!(!parts.is_spared("here"));
}
