use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Limit, Rates, local::Local};
use crate::{
    keys::Keys,
    testing::{link, prefix, servers},
};

const LIMIT: Limit = Limit {
    burst: 5,
    per_second: 1,
};

#[tokio::test]
async fn instances_count_together_and_tokens_come_back() {
    for (_, address) in servers() {
        let keys = Keys::with_prefix(&prefix());
        let one = Rates::new(link(&address).await, keys.clone());
        let other = Rates::new(link(&address).await, keys.clone());
        let begun = Instant::now();
        let mut allowed = 0;
        let mut refused = None;
        for n in 0..12 {
            let rates = if n % 2 == 0 { &one } else { &other };
            let allowance = rates.take("ada:read", LIMIT, 1).await;
            allowed += u64::from(allowance.allowed);
            refused = (!allowance.allowed).then_some(allowance).or(refused);
        }
        let back = begun.elapsed().as_secs() + 1;
        assert!(
            (5..=5 + back).contains(&allowed),
            "{allowed} of 12 while at most {back} came back"
        );
        let wait = refused.expect("some were refused").retry_after;
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
        assert!(
            one.take("bob:read", LIMIT, 5).await.allowed,
            "another bucket"
        );
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert!(other.take("ada:read", LIMIT, 1).await.allowed);
        assert!(
            !other.take("ada:read", LIMIT, 6).await.allowed,
            "more than it holds"
        );
    }
}

#[test]
fn an_instance_alone_still_limits() {
    let local = Local::default();
    let begun = Instant::now();
    let allowed = (0..12)
        .filter(|_| local.take("ada", LIMIT, 1).allowed)
        .count() as u64;
    // A busy machine takes its time, in which tokens come back.
    assert!((5..=5 + begun.elapsed().as_secs()).contains(&allowed));
    let refused = local.take("ada", LIMIT, LIMIT.burst + 1);
    assert!(!refused.allowed);
    assert!(refused.retry_after >= Duration::from_secs(1), "{refused:?}");
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(local.take("ada", LIMIT, 1).allowed);
}

#[tokio::test]
async fn without_redis_the_limit_holds_too() {
    let nobody = crate::link::Address::parse("redis://127.0.0.1:1").unwrap();
    let rates = Rates::new(crate::link::Link::open(nobody).await, Keys::default());
    let rates = Arc::new(rates);
    let begun = Instant::now();
    let mut allowed = 0;
    for _ in 0..12 {
        allowed += u64::from(rates.take("ada", LIMIT, 1).await.allowed);
    }
    let back = begun.elapsed().as_secs() + 1;
    assert!((5..=5 + back).contains(&allowed), "{allowed}");
}
