use std::time::{Duration, Instant};

use mcpanel_guard::{Permissions, Principal, Role};
use mcpanel_store_mongo::rates::{Allowance, Limit, Rates};

use super::{
    Counting, Kind, Limits, RateLimits, Standing, headers, kind_of,
    purses::{KEPT, Next, PURSES_MAX, Purses},
};
use crate::{Code, service::table};

fn key(id: &str) -> Principal {
    Principal {
        role: Role::Key(mcpanel_domain::KeyId::parse(id).unwrap()),
        namespace: mcpanel_domain::Namespace::default_namespace(),
        permissions: Permissions::all(),
    }
}

fn route(operation: &str) -> crate::access::Route {
    let mut table = table().into_iter();
    table.find(|route| route.operation == operation).unwrap()
}

#[test]
fn limits_are_read_as_they_are_written() {
    let usual = Limits::default();
    assert_eq!(usual.to_string().parse(), Ok(usual));
    assert_eq!("".parse(), Ok(usual));
    assert_eq!("off".parse(), Ok(Limits::OFF));
    assert_eq!(
        "off,".parse::<Limits>().unwrap_err().to_string(),
        "`off` is not of the form `NAME=RATE:BURST` or `NAME=off`, such as `reads=200:2000`"
    );
    let some: Limits = "work=5:10, namespace=off".parse().unwrap();
    let work = Limit {
        per_second: 5,
        burst: 10,
    };
    assert_eq!(some.of(Kind::Work), Some(work));
    assert_eq!(some.of(Kind::Namespace), None);
    assert_eq!(some.of(Kind::Reads), usual.of(Kind::Reads));
    for wrong in [
        "read=1:1",
        "reads",
        "reads=5",
        "reads=0:5",
        "reads=6:5",
        "reads=1:9999999",
        "reads=a:b",
    ] {
        assert!(wrong.parse::<Limits>().is_err(), "{wrong}");
    }
}

#[test]
fn every_route_is_of_the_kind_that_its_callers_expect() {
    for (operation, kind) in [
        ("list_tasks", Kind::Reads),
        ("create_tasks", Kind::Writes),
        ("update_agent", Kind::Writes),
        ("heartbeat", Kind::Work),
        ("complete_tasks", Kind::Work),
    ] {
        assert_eq!(kind_of(&route(operation)), kind, "{operation}");
    }
}

#[tokio::test]
async fn each_caller_has_its_own_calls_and_a_namespace_has_them_all() {
    let limits: Limits = "reads=1:3,namespace=1:5".parse().unwrap();
    let rates = RateLimits::new(limits, Rates::alone());
    let read = route("list_tasks");
    let ask = |who: &'static str| {
        let (rates, read) = (rates.clone(), read.clone());
        async move { rates.count(&read, &key(who)).await }
    };
    for _ in 0..3 {
        assert!(ask("key_a").await.unwrap().is_some());
    }
    let refused = ask("key_a").await.unwrap_err();
    assert_eq!(refused.code(), Code::RateLimited);
    assert!(refused.to_string().contains("`reads`"), "{refused}");
    ask("key_b").await.unwrap();
    ask("key_b").await.unwrap();
    let refused = ask("key_c").await.unwrap_err();
    assert!(refused.to_string().contains("`namespace`"), "{refused}");
    let beat = rates.count(&route("heartbeat"), &key("key_c")).await;
    assert!(beat.is_ok(), "work in hand goes on");
    let told = rates.refused();
    assert!(told.contains(&(Kind::Reads, 1)) && told.contains(&(Kind::Namespace, 1)));
    let admin = rates.count(&read, &Principal::admin()).await.unwrap();
    assert!(admin.is_none(), "the administrator is not limited");
}

#[tokio::test]
async fn portions_do_not_let_more_through_than_the_limit() {
    let limit = Limit {
        per_second: 1,
        burst: 1_000,
    };
    let limits = Limits::OFF;
    let counting = Counting {
        limits,
        buckets: super::Buckets::new(Rates::alone()),
    };
    let mut allowed = 0;
    for _ in 0..1_200 {
        let allowance = counting.buckets.take(Kind::Work, "one", limit).await;
        allowed += u32::from(allowance.allowed);
    }
    // A token comes back each second, and a purse may lose its own when this takes that long.
    assert!((980..=1_060).contains(&allowed), "{allowed}");
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn left(left: u32) -> Allowance {
    Allowance {
        allowed: true,
        left,
        retry_after: Duration::ZERO,
    }
}

fn refused(retry_after: Duration) -> Next {
    Next::Answer(Allowance {
        allowed: false,
        left: 0,
        retry_after,
    })
}

#[test]
fn nobody_asks_an_empty_bucket_before_its_next_token_is_there() {
    let (purses, begun) = (Purses::default(), Instant::now());
    assert_eq!(purses.next("one", begun), Next::AskPortion);
    purses.no_portion("one", ms(100), begun);
    assert_eq!(purses.next("one", begun), Next::AskOne);
    purses.no_token("one", ms(5), begun);
    assert_eq!(purses.next("one", begun), refused(ms(5)));
    assert_eq!(purses.next("one", begun + ms(4)), refused(ms(1)));
    assert_eq!(purses.next("other", begun), Next::AskPortion);
    // A token is there, and a portion not yet.
    assert_eq!(purses.next("one", begun + ms(5)), Next::AskOne);
    assert_eq!(purses.next("one", begun + ms(100)), Next::AskPortion);
    // Whatever a bucket says is believed for a second: another may be filled anew before.
    purses.no_token("one", ms(60_000), begun);
    assert_eq!(purses.next("one", begun), refused(KEPT));
    assert_eq!(purses.next("one", begun + KEPT), Next::AskPortion);
}

#[test]
fn what_was_taken_is_spent_within_a_second_and_before_anything_is_refused() {
    let (purses, begun) = (Purses::default(), Instant::now());
    purses.no_token("one", ms(5), begun);
    assert_eq!(purses.fill("one".to_owned(), left(7), 2, begun).left, 9);
    // The refusal of a call that asked at the same time.
    purses.no_portion("one", ms(100), begun);
    purses.no_token("one", ms(5), begun);
    assert_eq!(purses.next("one", begun), Next::Answer(left(8)));
    assert_eq!(purses.next("one", begun + KEPT), Next::AskPortion);
    purses.fill("one".to_owned(), left(7), 1, begun);
    assert_eq!(purses.next("one", begun), Next::Answer(left(7)));
    assert_eq!(purses.next("one", begun), Next::AskPortion);
}

#[test]
fn no_more_is_known_than_there_is_room_for() {
    let (purses, begun) = (Purses::default(), Instant::now());
    for n in 0..PURSES_MAX {
        purses.no_token(&n.to_string(), ms(5), begun);
    }
    purses.no_token("late", ms(5), begun);
    assert_eq!(purses.next("late", begun), Next::AskPortion);
    purses.no_token("later", ms(5), begun + ms(5));
    assert_eq!(purses.next("later", begun + ms(5)), refused(ms(5)));
}

#[tokio::test]
async fn who_was_refused_is_refused_again_without_asking_the_bucket() {
    let slow = Limit {
        per_second: 1,
        burst: 2,
    };
    // By this pace the bucket would be full at once, if it were asked.
    let fast = Limit {
        per_second: 1_000_000,
        ..slow
    };
    let buckets = super::Buckets::new(Rates::alone());
    loop {
        let first = buckets.take(Kind::Work, "one", slow).await;
        if first.allowed {
            continue;
        }
        let refused = Instant::now();
        let again = buckets.take(Kind::Work, "one", fast).await;
        // On a busy machine the next token may be there by now: then it begins anew.
        if refused.elapsed() < first.retry_after / 2 {
            assert!(!again.allowed, "{again:?}");
            return;
        }
    }
}

#[test]
fn answers_tell_what_is_left() {
    let standing = Standing {
        kind: Kind::Reads,
        limit: Limit {
            per_second: 200,
            burst: 2_000,
        },
        allowance: Allowance {
            allowed: true,
            left: 1_750,
            retry_after: Duration::ZERO,
        },
    };
    let told = headers::of(&standing).map(|(_, value)| value.to_str().unwrap().to_owned());
    assert_eq!(told, ["\"reads\";q=2000;w=10", "\"reads\";r=1750;t=2"]);
}
