//! The figures of an instance that has sockets and nothing else.

use std::{sync::Arc, time::Instant};

use mcpanel_realtime::{Figures, ports::Scrape};
use mcpanel_store_mongo::stream::EventStream;

use crate::metrics::{MEDIA_TYPE, Text, parts, sockets};

pub(super) struct Page {
    events: Arc<EventStream>,
    began: Instant,
}

impl Page {
    pub(super) fn new(events: Arc<EventStream>) -> Self {
        Self {
            events,
            began: Instant::now(),
        }
    }
}

impl Scrape for Page {
    fn write(&self, figures: &Figures) -> (&'static str, String) {
        let mut text = Text::default();
        sockets::write(figures, &mut text);
        parts::redis_up(self.events.is_live(), &mut text);
        let uptime = self.began.elapsed().as_millis();
        parts::process(u64::try_from(uptime).unwrap_or(u64::MAX), &mut text);
        (MEDIA_TYPE, text.into_string())
    }
}
