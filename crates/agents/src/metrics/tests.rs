use super::*;

fn sample(seed: u64) -> StageMetrics {
    let mut metrics = StageMetrics::new("validation");
    metrics.records_in = seed + 3;
    metrics.records_out = seed;
    metrics.drop_record("too_short");
    metrics.count(
        "topics",
        if seed.is_multiple_of(2) {
            "Anxiety"
        } else {
            "Grief"
        },
        seed,
    );
    metrics.length("answer_words", seed * 7);
    metrics
}

#[test]
fn merging_is_the_same_in_any_order() {
    let parts: Vec<_> = (0..9).map(sample).collect();
    let merge = |parts: Vec<&StageMetrics>| {
        let mut all = StageMetrics::new("validation");
        parts.into_iter().for_each(|part| all.merge(part));
        all
    };
    let forward = merge(parts.iter().collect());
    let backward = merge(parts.iter().rev().collect());
    assert_eq!(forward, backward);
    assert_eq!(forward.records_in, (0..9).map(|seed| seed + 3).sum::<u64>());
    assert_eq!(forward.histograms["answer_words"].min, 0);
    assert_eq!(forward.histograms["answer_words"].max, 56);
}

#[test]
fn a_counter_with_endless_values_stays_bounded() {
    let mut metrics = StageMetrics::new("data_ingestion");
    for number in 0..VALUES_MAX + 50 {
        metrics.count("topics", &format!("topic {number}"), 1);
    }
    let topics = &metrics.counters["topics"];
    assert_eq!(topics.len(), VALUES_MAX + 1);
    assert_eq!(topics[OTHER], 50);
}

#[test]
fn lengths_fall_into_the_bucket_that_ends_at_them() {
    let mut histogram = Histogram::default();
    for words in [0, 10, 11, 2000, 2001] {
        histogram.add(words);
    }
    assert_eq!(histogram.buckets[0], 2);
    assert_eq!(histogram.buckets[1], 1);
    assert_eq!(histogram.buckets[11], 1);
    assert_eq!(histogram.buckets[12], 1);
    assert_eq!(histogram.mean(), 4022.0 / 5.0);
}
