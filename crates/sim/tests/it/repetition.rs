//! A seed is a complete bug report: it does the same thing every time.

use mcpanel_sim::{Ground, Mutation, Options, simulate};

#[test]
fn the_same_seed_does_the_same_thing() {
    for seed in [1, 99, 12_345] {
        let first = simulate(seed, Options::default()).unwrap();
        let second = simulate(seed, Options::default()).unwrap();
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn the_same_seed_does_the_same_thing_with_several_servers() {
    let options = Options {
        ground: Ground::Distributed,
        ..Options::default()
    };
    for seed in [1, 99] {
        let first = simulate(seed, options).unwrap();
        assert_eq!(first, simulate(seed, options).unwrap(), "seed {seed}");
        assert_ne!(first, simulate(seed, Options::default()).unwrap());
    }
}

#[test]
fn different_seeds_do_different_things() {
    let runs: Vec<_> = (0..4)
        .map(|seed| simulate(seed, Options::default()).unwrap())
        .collect();
    assert!(runs.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_failure_repeats_down_to_its_last_line() {
    let options = Options {
        mutation: Some(Mutation::LoseEvents),
        ..Options::default()
    };
    let fail = || (0..100).find_map(|seed| simulate(seed, options).err());
    let (first, second) = (fail().unwrap(), fail().unwrap());
    assert_eq!(first.to_string(), second.to_string());
}
