//! How the parts of this instance do: its store, caches, connections and Redis, its limits, its memory.

use mcpanel_store_mongo::{
    Figures, PoolFigures, SharedFigures, StoreFigures, cache::Hits, link::LinkHealth,
};

use super::{
    sockets,
    text::{Kind, Text},
};
use crate::{app::App, routes::resident_bytes};

/// Writes them.
pub(super) async fn write(app: &App, text: &mut Text) {
    let health = app.control.store().health().await;
    text.one(
        "store_takes_changes",
        Kind::Gauge,
        "Whether the store takes changes.",
        u8::from(health.read_only.is_none()),
    );
    text.one(
        "store_commits_total",
        Kind::Counter,
        "Commits of this instance.",
        health.commits,
    );
    text.one(
        "store_flushes_total",
        Kind::Counter,
        "Durable writes of this instance; one serves all commits that waited for it.",
        health.flushes,
    );
    if let Some(look) = &app.figures {
        shared_store(&look(), text);
    }
    let mut family = text.family(
        "rate_limited_total",
        Kind::Counter,
        "Calls that were refused because of a limit, by limit.",
    );
    for (kind, count) in app.rates.refused() {
        family.add(&[("limit", kind.name())], count);
    }
    if let Some(figures) = app.sockets.get() {
        sockets::write(figures, text);
    }
    text.one(
        "claims_waiting",
        Kind::Gauge,
        "Claims that wait for work at this instance.",
        app.waiting.total(),
    );
    process(app.env.now().ms_since(app.started_at), text);
}

/// What holds for every instance; how long it has served is in milliseconds.
pub(crate) fn process(uptime_ms: u64, text: &mut Text) {
    text.one(
        "uptime_seconds",
        Kind::Gauge,
        "How long this instance has served.",
        uptime_ms as f64 / 1_000.0,
    );
    if let Some(bytes) = resident_bytes() {
        text.one(
            "resident_bytes",
            Kind::Gauge,
            "Memory of this instance.",
            bytes,
        );
    }
}

/// Whether calls are made to Redis, or it is read.
pub(crate) fn redis_up(up: bool, text: &mut Text) {
    text.one(
        "redis_up",
        Kind::Gauge,
        "Whether calls are made to Redis.",
        u8::from(up),
    );
}

fn shared_store(figures: &StoreFigures, text: &mut Text) {
    let StoreFigures {
        commits,
        caches,
        pool,
        shared,
        link,
        clock_offset_ms,
    } = figures;
    let Figures { retries, .. } = commits;
    text.one(
        "store_retries_total",
        Kind::Counter,
        "Durable writes that met another instance's and were tried again.",
        retries,
    );
    text.one(
        "clock_offset_seconds",
        Kind::Gauge,
        "How far the clock of this machine is behind MongoDB's.",
        *clock_offset_ms as f64 / 1_000.0,
    );
    lookups(caches, text);
    connections(pool, text);
    if let Some(shared) = shared {
        queue(shared, text);
    }
    if let Some(link) = link {
        redis(link, text);
    }
}

fn lookups(caches: &[(&'static str, Hits)], text: &mut Text) {
    let mut family = text.family(
        "cache_lookups_total",
        Kind::Counter,
        "Lookups in caches, by who knew the answer.",
    );
    for (cache, hits) in caches {
        let Hits {
            process,
            redis,
            missed,
        } = hits;
        for (who, count) in [("process", process), ("redis", redis), ("mongodb", missed)] {
            family.add(&[("cache", *cache), ("answered_by", who)], count);
        }
    }
}

fn connections(pool: &PoolFigures, text: &mut Text) {
    let PoolFigures {
        most,
        open,
        in_use,
        waited,
        refused,
    } = pool;
    text.one(
        "mongodb_connections_max",
        Kind::Gauge,
        "Connections that this instance may open to each server of MongoDB.",
        most,
    );
    let mut family = text.family(
        "mongodb_connections",
        Kind::Gauge,
        "Connections to MongoDB: open, and in use of those.",
    );
    family.add(&[("state", "open")], open);
    family.add(&[("state", "in_use")], in_use);
    text.one(
        "mongodb_connections_waiting",
        Kind::Gauge,
        "Calls that wait for a connection.",
        waited,
    );
    text.one(
        "mongodb_connections_refused_total",
        Kind::Counter,
        "Calls that got no connection.",
        refused,
    );
}

fn queue(shared: &SharedFigures, text: &mut Text) {
    let SharedFigures {
        claims,
        claims_away,
        changes,
        changes_overdue,
        builds,
    } = shared;
    let mut family = text.family(
        "claims_total",
        Kind::Counter,
        "Looks for work, by who answered.",
    );
    family.add(&[("answered_by", "redis")], claims);
    family.add(&[("answered_by", "mongodb")], claims_away);
    let mut family = text.family(
        "queue_changes_total",
        Kind::Counter,
        "Changes of tasks that the queue in Redis was told, by when.",
    );
    family.add(&[("told", "at_once")], changes);
    family.add(&[("told", "later")], changes_overdue);
    text.one(
        "queue_builds_total",
        Kind::Counter,
        "Queues in Redis that this instance built or swept.",
        builds,
    );
}

fn redis(link: &LinkHealth, text: &mut Text) {
    let LinkHealth {
        up,
        reason: _,
        answered,
        failed,
        spared,
        opened,
        latency_us,
    } = link;
    redis_up(*up, text);
    let mut family = text.family(
        "redis_calls_total",
        Kind::Counter,
        "Calls to Redis, by what became of them; spared ones were not made, because it was away.",
    );
    for (outcome, count) in [
        ("answered", answered),
        ("failed", failed),
        ("spared", spared),
    ] {
        family.add(&[("outcome", outcome)], count);
    }
    text.one(
        "redis_losses_total",
        Kind::Counter,
        "How often Redis was given up for a while.",
        opened,
    );
    text.one(
        "redis_latency_seconds",
        Kind::Gauge,
        "How long Redis took of late.",
        *latency_us as f64 / 1e6,
    );
}
