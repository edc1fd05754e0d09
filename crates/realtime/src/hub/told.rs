//! An event made ready for telling: written once, however many are told.

use std::sync::Arc;

use mcpanel_api::event::Event;
use serde_json::value::{RawValue, to_raw_value};

use crate::room::Room;

/// An event made ready.
pub(crate) struct Told {
    /// What happened.
    pub(crate) event: Event,
    /// The same as JSON.
    pub(crate) text: Box<RawValue>,
    /// Where it is told.
    pub(crate) rooms: Vec<Room>,
}

impl Told {
    pub(crate) fn of(event: Event) -> Arc<Self> {
        Arc::new(Self {
            text: to_raw_value(&event).expect("an event is numbers and strings"),
            rooms: Room::of(&event.payload),
            event,
        })
    }

    /// Its number.
    pub(crate) fn seq(&self) -> u64 {
        self.event.seq
    }
}
