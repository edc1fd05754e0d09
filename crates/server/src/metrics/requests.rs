//! Requests by route: how many, how they ended, how long they took. Routes are as many as the route table has, so what is
//! kept is bounded whatever callers ask for.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, StatusCode};
use parking_lot::RwLock;

use super::text::{Kind, Text};

/// Upper ends of the buckets of response times, in milliseconds: from what a lookup takes to what a claim may wait.
const BUCKETS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000];

/// The methods that are told apart; all others are the last.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "other"];

/// Classes of statuses, from `1xx`.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was counted since this process began.
#[derive(Clone, Default)]
pub struct Requests(Arc<RwLock<HashMap<String, Arc<[Counts; METHODS.len()]>>>>);

/// Requests of one method to one route.
#[derive(Default)]
struct Counts {
    by_class: [AtomicU64; CLASSES.len()],
    /// By bucket; the last holds what took longer.
    by_time: [AtomicU64; BUCKETS_MS.len() + 1],
    time_us: AtomicU64,
}

impl Requests {
    /// Counts a request.
    pub fn count(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let known = self.0.read().get(route).cloned();
        let counts = known.unwrap_or_else(|| {
            let mut routes = self.0.write();
            routes.entry(route.to_owned()).or_default().clone()
        });
        let method = METHODS.iter().position(|name| *name == method.as_str());
        let counts = &counts[method.unwrap_or(METHODS.len() - 1)];
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let add = |figure: &AtomicU64, value| figure.fetch_add(value, Ordering::Relaxed);
        add(&counts.by_class[class], 1);
        let bucket = BUCKETS_MS.partition_point(|ms| took > Duration::from_millis(*ms));
        add(&counts.by_time[bucket], 1);
        add(
            &counts.time_us,
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
    }

    /// Writes what was counted.
    pub(super) fn write(&self, text: &mut Text) {
        let routes: Vec<_> = {
            let routes = self.0.read();
            let mut routes: Vec<_> = routes
                .iter()
                .map(|(route, counts)| (route.clone(), counts.clone()))
                .collect();
            routes.sort_by(|one, other| one.0.cmp(&other.0));
            routes
        };
        let all = || {
            routes.iter().flat_map(|(route, counts)| {
                let used = counts.iter().zip(METHODS);
                used.filter(|(counts, _)| counts.total() > 0)
                    .map(move |(counts, method)| (route.as_str(), method, counts))
            })
        };
        let mut family = text.family(
            "request_count_total",
            Kind::Counter,
            "Requests that were answered, by how.",
        );
        for (route, method, counts) in all() {
            for (class, count) in CLASSES.iter().zip(&counts.by_class) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("method", method), ("route", route), ("status", *class)];
                    family.add(&labels, count);
                }
            }
        }
        let errors: u64 = all().map(|(_, _, counts)| counts.errors()).sum();
        text.one(
            "error_count_total",
            Kind::Counter,
            "Requests that were answered with a failure of the server.",
            errors,
        );
        let mut family = text.family(
            "response_time_seconds",
            Kind::Histogram,
            "How long answers took; a claim that waits for work takes as long as it was asked to.",
        );
        for (route, method, counts) in all() {
            let labels = [("method", method), ("route", route)];
            let mut seen = 0;
            for (ms, count) in BUCKETS_MS.iter().zip(&counts.by_time) {
                seen += count.load(Ordering::Relaxed);
                let up_to = (*ms as f64 / 1_000.0).to_string();
                family.add_part("_bucket", &[labels[0], labels[1], ("le", &up_to)], seen);
            }
            seen += counts.by_time[BUCKETS_MS.len()].load(Ordering::Relaxed);
            family.add_part("_bucket", &[labels[0], labels[1], ("le", "+Inf")], seen);
            let time_us = counts.time_us.load(Ordering::Relaxed);
            family.add_part("_sum", &labels, time_us as f64 / 1e6);
            family.add_part("_count", &labels, seen);
        }
    }
}

impl Counts {
    fn total(&self) -> u64 {
        let counts = self.by_class.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    fn errors(&self) -> u64 {
        self.by_class[CLASSES.len() - 1].load(Ordering::Relaxed)
    }
}
