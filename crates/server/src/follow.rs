//! Following events over a connection that stays open (server-sent events).
//!
//! Nothing is buffered for a follower: it reads the log whenever its connection takes more, so a slow one holds
//! nothing up and costs one page of events. One that fell behind what is kept is told so, and goes on from now.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::response::sse;
use futures::{Stream, stream};
use mcpanel_api::event::EventReset;
use mcpanel_control::Scope;
use mcpanel_domain::event::Numbered;
use mcpanel_store::query::{EventFilter, Events};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    app::App,
    error::{ApiError, ApiResult, Code},
    limits::{
        EVENTS_READ_MAX, FOLLOW_LIFE_MS_MAX, FOLLOW_PAUSE_MS, FOLLOW_PING_MS, FOLLOW_RETRY_MS,
        FOLLOWERS_MAX,
    },
    views,
};

/// When to try again after a refused stream, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// The followers there are, counted.
#[derive(Clone)]
pub struct Followers(Arc<Semaphore>);

impl Default for Followers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(FOLLOWERS_MAX)))
    }
}

impl Followers {
    /// Takes a place, free again when it is dropped.
    pub fn enter(&self) -> ApiResult<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().map_err(|_| {
            let detail = format!("{FOLLOWERS_MAX} streams are open already");
            ApiError::new(Code::Overloaded, detail).retry_after_s(RETRY_AFTER_S)
        })
    }
}

/// One who follows.
pub struct Follower {
    app: App,
    scope: Scope,
    filter: EventFilter,
    /// The number of the last event that was looked at.
    after: u64,
    /// Whether the first word was said.
    greeted: bool,
    newest: watch::Receiver<u64>,
    read: VecDeque<Arc<Numbered>>,
    ping_at: Instant,
    ends_at: Instant,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// Follows what this caller may see, from after `after` or from now.
    pub fn new(app: App, scope: Scope, filter: EventFilter, after: Option<u64>) -> ApiResult<Self> {
        let place = app.followers.enter()?;
        let newest = app.control.events.watch();
        let now = Instant::now();
        let after = after.unwrap_or_else(|| *newest.borrow());
        Ok(Self {
            app,
            scope,
            filter,
            after,
            greeted: false,
            newest,
            read: VecDeque::new(),
            ping_at: now + ms(FOLLOW_PING_MS),
            ends_at: now + ms(FOLLOW_LIFE_MS_MAX),
            _place: place,
        })
    }

    /// The words of the stream. It ends when the server stops, and after a while.
    pub fn words(self) -> impl Stream<Item = ApiResult<sse::Event>> + Send + 'static {
        stream::try_unfold(self, |mut follower| async move {
            let word = follower.word().await?;
            Ok(word.map(|word| (word, follower)))
        })
    }

    async fn word(&mut self) -> ApiResult<Option<sse::Event>> {
        if !self.greeted {
            self.greeted = true;
            // Whoever loses the line before the first event goes on from here too.
            let word = self.quiet_word("following").retry(ms(FOLLOW_RETRY_MS));
            return Ok(Some(word));
        }
        loop {
            if let Some(numbered) = self.read.pop_front() {
                return self.told(event(&numbered)).map(Some);
            }
            if Instant::now() >= self.ends_at || self.app.stop.has_begun() {
                return Ok(None);
            }
            if Instant::now() >= self.ping_at {
                let word = self.quiet_word("ping");
                return self.told(Ok(word)).map(Some);
            }
            self.newest.mark_unchanged();
            let found = self.look().await?;
            if lost(self.after, &found) {
                self.after = found.last;
                return self.told(reset(&found)).map(Some);
            }
            self.after = found.scanned_to;
            let all = found.scanned_to >= found.last;
            self.read = found.events.into();
            if self.read.is_empty() && all && !self.wait().await {
                return Ok(None);
            }
        }
    }

    async fn look(&self) -> ApiResult<Events> {
        let events = &self.app.control.events;
        Ok(events
            .list(&self.scope, &self.filter, self.after, EVENTS_READ_MAX)
            .await?)
    }

    /// Waits until there may be something to say; false when there never will be.
    async fn wait(&mut self) -> bool {
        let speak_at = self.ping_at.min(self.ends_at);
        tokio::select! {
            changed = self.newest.changed() => {
                // Many small changes become one look.
                sleep(ms(FOLLOW_PAUSE_MS)).await;
                changed.is_ok()
            }
            () = sleep_until(speak_at) => true,
            () = self.app.stop.begun() => false,
        }
    }

    /// A comment that also tells the client how far it is: with a filter, its events may be long past.
    fn quiet_word(&self, comment: &str) -> sse::Event {
        sse::Event::default()
            .comment(comment)
            .id(self.after.to_string())
    }

    fn told(&mut self, word: ApiResult<sse::Event>) -> ApiResult<sse::Event> {
        self.ping_at = Instant::now() + ms(FOLLOW_PING_MS);
        word
    }
}

/// Whether events after `after` are gone, or the store never came as far as that.
pub fn lost(after: u64, found: &Events) -> bool {
    after > found.last || after > 0 && found.first_kept > after + 1
}

fn event(numbered: &Numbered) -> ApiResult<sse::Event> {
    let body = views::event::event(numbered);
    sse::Event::default()
        .id(body.seq.to_string())
        .event(&body.kind)
        .json_data(&body)
        .map_err(ApiError::internal)
}

fn reset(found: &Events) -> ApiResult<sse::Event> {
    let body = EventReset {
        last_seq: found.last,
        first_kept: found.first_kept,
    };
    sse::Event::default()
        .id(found.last.to_string())
        .event("reset")
        .json_data(body)
        .map_err(ApiError::internal)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_has_lost_events_when_they_are_gone_or_never_were() {
        let kept = |first_kept, last| Events {
            events: Vec::new(),
            scanned_to: last,
            last,
            first_kept,
        };
        assert!(!lost(9, &kept(10, 20)), "the next one is there");
        assert!(lost(8, &kept(10, 20)), "event 9 is gone");
        assert!(!lost(0, &kept(10, 20)), "who begins has missed nothing");
        assert!(!lost(20, &kept(10, 20)), "all was seen");
        assert!(lost(21, &kept(10, 20)), "a number of another store");
        assert!(!lost(0, &kept(1, 0)), "nothing happened yet");
    }

    #[test]
    fn there_are_only_so_many_places_and_they_come_back() {
        let followers = Followers::default();
        let places: Vec<_> = (0..FOLLOWERS_MAX)
            .map(|_| followers.enter().unwrap())
            .collect();
        assert_eq!(
            followers.enter().err().map(|error| error.code()),
            Some(Code::Overloaded)
        );
        drop(places);
        assert!(followers.enter().is_ok());
    }
}
