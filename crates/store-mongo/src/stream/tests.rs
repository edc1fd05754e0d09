//! Two publishers, followers, gaps and losses.

use std::{sync::Arc, time::Duration};

use mcpanel_domain::event::Numbered;

use super::*;
use crate::{
    keys::Keys,
    source::Source,
    testing::{Truth, eventually, link, prefix, servers},
};

const SOON: Duration = Duration::from_secs(60);

fn numbers(events: &[Arc<Numbered>]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

async fn publisher(
    address: &crate::link::Address,
    keys: &Keys,
    truth: &Arc<Truth>,
) -> Arc<Publisher> {
    let publisher = Publisher::new(link(address).await, keys.events());
    let source: Arc<dyn Source> = truth.clone();
    let source = Arc::downgrade(&source);
    let working = publisher.clone();
    tokio::spawn(async move { working.work(source).await });
    publisher
}

#[tokio::test]
async fn followers_hear_all_in_order_though_publishers_race() {
    for (_, address) in servers() {
        let keys = Keys::with_prefix(&prefix());
        let truth = Arc::new(Truth::default());
        let one = publisher(&address, &keys, &truth).await;
        let other = publisher(&address, &keys, &truth).await;
        let follower = EventStream::follow(address.clone(), &keys);
        eventually("the follower listens", SOON, async || follower.is_live()).await;
        for n in 0..300_u64 {
            let event = truth.happen(&format!("{n}"));
            // Now one, now the other numbered it, and now and then both tell.
            let teller = if n % 3 == 0 { &one } else { &other };
            teller.push(std::slice::from_ref(&event));
            if n % 7 == 0 {
                one.push(&[event]);
            }
        }
        eventually("all are heard", SOON, async || follower.last() == 300).await;
        let heard = follower.recent(0, 1_000).unwrap();
        assert_eq!(numbers(&heard), (1..=300).collect::<Vec<_>>());
        assert_eq!(heard[4], truth.events.lock()[4]);
        assert_eq!(numbers(&follower.recent(297, 2).unwrap()), [298, 299]);
    }
}

#[tokio::test]
async fn what_an_instance_could_not_tell_is_filled_in() {
    for (_, address) in servers() {
        let keys = Keys::with_prefix(&prefix());
        let truth = Arc::new(Truth::default());
        let publisher = publisher(&address, &keys, &truth).await;
        let follower = EventStream::follow(address.clone(), &keys);
        eventually("the follower listens", SOON, async || follower.is_live()).await;
        publisher.push(&[truth.happen("told")]);
        // Numbered by an instance that died before it could tell.
        for _ in 0..450 {
            truth.happen("untold");
        }
        publisher.push(&[truth.happen("told")]);
        eventually("all are heard", SOON, async || follower.last() == 452).await;
        let heard = follower.recent(0, 1_000).unwrap();
        assert_eq!(numbers(&heard), (1..=452).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_follower_that_comes_late_replays_and_hears_of_what_is_gone() {
    for (_, address) in servers() {
        let keys = Keys::with_prefix(&prefix());
        let truth = Arc::new(Truth::default());
        let publisher = publisher(&address, &keys, &truth).await;
        let events: Vec<_> = (0..500).map(|_| truth.happen("early")).collect();
        publisher.push(&events);
        let late = EventStream::follow(address.clone(), &keys);
        eventually("it finds its place", SOON, async || late.last() == 500).await;
        match late.replay(3, 300).await.unwrap() {
            Replay::Events(events) => assert_eq!(numbers(&events), (4..=303).collect::<Vec<_>>()),
            gone => panic!("{gone:?}"),
        }
        // The stream is lost; it begins anew with what comes next.
        let fresh = link(&address).await;
        let key = keys.events();
        let _: i64 = fresh
            .call(|mut connection| async move {
                redis::cmd("DEL")
                    .arg(key)
                    .query_async(&mut connection)
                    .await
            })
            .await
            .unwrap();
        publisher.push(&[truth.happen("after the loss")]);
        eventually("it goes on", SOON, async || late.last() == 501).await;
        let newcomer = EventStream::follow(address.clone(), &keys);
        eventually("it finds its place", SOON, async || newcomer.last() == 501).await;
        assert_eq!(
            newcomer.replay(3, 10).await.unwrap(),
            Replay::Gone { first_kept: 501 }
        );
        assert!(newcomer.recent(3, 10).is_none());
    }
}
