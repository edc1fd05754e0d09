//! The one stream of each tab: it says what changed, never what it is now. The page then asks for its own part again, with
//! its own filters and permissions.
//!
//! A word comes at most once a second, however much happens. A tab that cannot keep up loses nothing: it reads the event log
//! itself whenever its connection takes more.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response, sse},
};
use futures::{Stream, stream};
use mcpanel_control::Scope;
use mcpanel_domain::{TaskId, event::Event, limits::PAGE_ITEMS_MAX};
use mcpanel_guard::Permission;
use mcpanel_store::query::EventFilter;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Dashboard,
    error::{Failure, Result},
    limits::{
        LIVE_EVENTS_READ_MAX, LIVE_LOGS_MAX, LIVE_MS_MAX, LIVE_NAMES_MAX, LIVE_PAUSE_MS,
        LIVE_STREAMS_MAX, LIVE_TICK_MS,
    },
    session::{self, Viewer},
    ui::list::Query,
};

/// What can be followed as a whole, and what one must be allowed to see for it.
const TOPICS: [(&str, Permission); 6] = [
    ("tasks", Permission::TaskRead),
    ("agents", Permission::AgentRead),
    ("pipelines", Permission::PipelineRead),
    ("events", Permission::EventRead),
    ("operations", Permission::TaskRead),
    ("artifacts", Permission::ArtifactRead),
];

/// Follows what a page shows: `topic` for lists, `name` for single documents (`task:<id>`), `log` for tasks whose log it shows
/// (`<id>`; lines are no events, so the log itself is looked at). `after` is the newest event that the
/// page can show, so that nothing is missed between the page and its stream.
pub async fn stream(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let query = Query::read(query.as_deref());
    let topics = TOPICS
        .iter()
        .filter(|(topic, permission)| {
            viewer.may(*permission) && query.all("topic").any(|asked| asked == *topic)
        })
        .map(|(topic, _)| *topic)
        .collect();
    let names = query
        .all("name")
        .take(LIVE_NAMES_MAX)
        .map(str::to_owned)
        .collect();
    let logs = query.all("log").take(LIVE_LOGS_MAX);
    let logs = logs.filter_map(|id| TaskId::parse(id).ok());
    let logs = logs.filter(|_| viewer.may(Permission::TaskRead));
    let logs = logs.map(|id| (id, 0)).collect();
    let place = dashboard.streams.clone().try_acquire_owned().map_err(|_| {
        let detail = format!("{LIVE_STREAMS_MAX} tabs are live already");
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let newest = dashboard.control.events.watch();
    let after = after(query.text("after"), *newest.borrow());
    let now = Instant::now();
    let follower = Follower {
        stopping: dashboard.host.stopping(),
        session: session::session(&headers).unwrap_or_default(),
        scope: viewer.scope,
        dashboard,
        topics,
        names,
        logs,
        logs_at: now,
        after,
        newest,
        greeted: false,
        tick_at: now + Duration::from_millis(LIVE_TICK_MS),
        ends_at: now + Duration::from_millis(LIVE_MS_MAX),
        _place: place,
    };
    Ok(sse::Sse::new(follower.words()).into_response())
}

/// The number that a stream begins behind: what the page knows when it says so, and never one that is still to come.
fn after(asked: Option<&str>, newest: u64) -> u64 {
    let asked = asked.and_then(|text| text.parse::<u64>().ok());
    asked.map_or(newest, |asked| asked.min(newest))
}

struct Follower {
    dashboard: Dashboard,
    session: String,
    scope: Scope,
    topics: Vec<&'static str>,
    names: BTreeSet<String>,
    /// The logs that are looked at, with the number of the newest line that was seen.
    logs: Vec<(TaskId, u64)>,
    logs_at: Instant,
    after: u64,
    newest: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    greeted: bool,
    tick_at: Instant,
    ends_at: Instant,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    fn words(
        self,
    ) -> impl Stream<Item = std::result::Result<sse::Event, Infallible>> + Send + 'static {
        stream::unfold(self, |mut follower| async move {
            let word = follower.word().await?;
            Some((Ok(word), follower))
        })
    }

    /// The next word; none when the stream ends.
    async fn word(&mut self) -> Option<sse::Event> {
        if !self.greeted {
            self.greeted = true;
            return Some(sse::Event::default().comment("following"));
        }
        loop {
            if *self.stopping.borrow() || Instant::now() >= self.ends_at {
                return None;
            }
            if Instant::now() >= self.tick_at {
                self.tick_at = Instant::now() + Duration::from_millis(LIVE_TICK_MS);
                // A revoked key or an ended token ends the stream too.
                self.dashboard.host.identify(&self.session).await.ok()?;
                return Some(changed(["tick".to_owned()].into()));
            }
            self.newest.mark_unchanged();
            let mut found = self.look().await?;
            if Instant::now() >= self.logs_at {
                found.append(&mut self.grown().await);
                self.logs_at = Instant::now() + Duration::from_millis(LIVE_PAUSE_MS);
            }
            if !found.is_empty() {
                sleep(Duration::from_millis(LIVE_PAUSE_MS)).await;
                // What happened in the pause is in the next word.
                return Some(changed(found));
            }
            let wakes_at = self.wakes_at();
            tokio::select! {
                changed = self.newest.changed() => changed.ok()?,
                changed = self.stopping.changed() => changed.ok()?,
                () = sleep_until(wakes_at) => {}
            }
        }
    }

    /// When there is something to do though nothing happens.
    fn wakes_at(&self) -> Instant {
        let at = self.tick_at.min(self.ends_at);
        match self.logs.is_empty() {
            true => at,
            false => at.min(self.logs_at),
        }
    }

    /// The logs that have lines which were not there at the last look. A task that is gone, or a store that cannot say, has none.
    async fn grown(&mut self) -> BTreeSet<String> {
        let page = usize::try_from(PAGE_ITEMS_MAX).unwrap_or(usize::MAX);
        let tasks = &self.dashboard.control.tasks;
        let mut grown = BTreeSet::new();
        for (id, seen) in &mut self.logs {
            while let Ok(lines) = tasks.logs(&self.scope, id, *seen, page).await {
                let Some(last) = lines.last() else { break };
                *seen = last.seq;
                grown.insert(format!("log:{id}"));
                if lines.len() < page {
                    break;
                }
            }
        }
        grown
    }

    /// What changed since the last look; none when the store cannot say.
    async fn look(&mut self) -> Option<BTreeSet<String>> {
        let events = &self.dashboard.control.events;
        let found = events
            .list(
                &self.scope,
                &EventFilter::default(),
                self.after,
                LIVE_EVENTS_READ_MAX,
            )
            .await
            .ok()?;
        let fell_behind = found.scanned_to < found.last || found.first_kept > self.after + 1;
        self.after = found.last.max(found.scanned_to);
        if fell_behind {
            let all = self.topics.iter().map(|topic| (*topic).to_owned());
            return Some(all.chain(self.names.iter().cloned()).collect());
        }
        let mut changed = BTreeSet::new();
        for numbered in &found.events {
            self.note(&numbered.event, &mut changed);
        }
        Some(changed)
    }

    fn note(&self, event: &Event, changed: &mut BTreeSet<String>) {
        let kind = event.kind.as_str();
        let touches = |topic: &str| match topic {
            "tasks" => event.task_id.is_some(),
            "agents" => event.agent_id.is_some(),
            "pipelines" => event.pipeline_id.is_some(),
            "operations" => kind.starts_with("operation:"),
            "artifacts" => kind.starts_with("artifact:"),
            _ => true,
        };
        for topic in self.topics.iter().filter(|topic| touches(topic)) {
            changed.insert((*topic).to_owned());
        }
        let named = [
            event.task_id.as_ref().map(|id| format!("task:{id}")),
            event.agent_id.as_ref().map(|id| format!("agent:{id}")),
            event
                .pipeline_id
                .as_ref()
                .map(|id| format!("pipeline:{id}")),
        ];
        changed.extend(
            named
                .into_iter()
                .flatten()
                .filter(|name| self.names.contains(name)),
        );
    }
}

fn changed(what: BTreeSet<String>) -> sse::Event {
    let words: Vec<String> = what.into_iter().collect();
    sse::Event::default().event("changed").data(words.join(" "))
}
