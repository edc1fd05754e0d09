use std::{sync::Arc, time::Duration};

use super::{Brief, Hits, Lasting, generations::Generations};
use crate::{
    keys::Keys,
    testing::{link, prefix, servers},
};

#[test]
fn what_is_asked_for_stays_and_the_bound_is_kept() {
    let map: Generations<u32, u32> = Generations::new(10);
    map.put(0, 0);
    for n in 1..1_000 {
        map.put(n, n);
        assert_eq!(map.get(&0), Some(0), "asked for all the time");
    }
    let kept = (0..1_000).filter(|n| map.get(n).is_some()).count();
    assert!((2..=10).contains(&kept), "{kept}");
    map.remove(&0);
    assert_eq!(map.get(&0), None);
}

#[test]
fn a_brief_value_is_believed_for_its_time_alone() {
    let brief = Brief::new(10, Duration::from_secs(60));
    assert_eq!(brief.get(&"k"), None);
    brief.put("k", 1);
    assert_eq!(brief.get(&"k"), Some(1));
    brief.forget(&"k");
    assert_eq!(brief.get(&"k"), None);
    let expected = Hits {
        process: 1,
        redis: 0,
        missed: 2,
    };
    assert_eq!(brief.hits(), expected);

    let briefer = Brief::new(10, Duration::from_millis(30));
    briefer.put("k", 2);
    std::thread::sleep(Duration::from_millis(40));
    assert_eq!(briefer.get(&"k"), None);
}

#[tokio::test]
async fn instances_share_what_lasts() {
    for (_, address) in servers() {
        let keys = Keys::with_prefix(&prefix());
        let link = link(&address).await;
        let cache = || Lasting::<Vec<u32>>::new("numbers", 10, Some((link.clone(), keys.clone())));
        let (one, other) = (cache(), cache());
        assert_eq!(one.get("a").await, None);
        one.put("a", &Arc::new(vec![1, 2])).await;
        for _ in 0..3 {
            assert_eq!(other.get("a").await.as_deref(), Some(&vec![1, 2]));
        }
        let expected = Hits {
            process: 2,
            redis: 1,
            missed: 0,
        };
        assert_eq!(other.hits(), expected);
    }
}
