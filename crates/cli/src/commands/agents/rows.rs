//! Agents in tables.

use mcpanel_api::{agent::Agent, discovery::Capability};

use crate::output::{
    cell::{Cell, text},
    listing::Row,
};

impl Row for Agent {
    const HEADER: &'static [&'static str] = &[
        "AGENT",
        "TYPE",
        "STATUS",
        "ADMISSION",
        "SLOTS",
        "LAST HEARTBEAT",
        "CAPABILITIES",
    ];

    const WIDE: &'static [&'static str] = &["NAME", "VERSION", "SESSION", "REGISTERED", "MESSAGE"];

    fn name(&self) -> String {
        self.agent_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.agent_id),
            text(&self.kind),
            Cell::status(self.status),
            Cell::status(self.admission),
            text(format_args!("{}/{}", self.slots_in_use, self.concurrency)),
            self.last_heartbeat.into(),
            Cell::words(&self.capabilities),
        ]
    }

    fn wide_cells(&self) -> Vec<Cell> {
        vec![
            self.name.as_str().into(),
            self.version.as_deref().into(),
            self.session_id.as_ref().map(text).into(),
            self.registered_at.into(),
            self.status_message.as_deref().map(Cell::long).into(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, Cell)> {
        let slots = format!("{} of {} in use", self.slots_in_use, self.concurrency);
        vec![
            ("AGENT", text(&self.agent_id)),
            ("NAME", self.name.as_str().into()),
            ("TYPE", text(&self.kind)),
            ("VERSION", self.version.as_deref().into()),
            ("STATUS", Cell::status(self.status)),
            (
                "MESSAGE",
                self.status_message.as_deref().map(Cell::long).into(),
            ),
            ("ADMISSION", Cell::status(self.admission)),
            ("SLOTS", slots.into()),
            ("CAPABILITIES", Cell::words(&self.capabilities)),
            ("LAST HEARTBEAT", self.last_heartbeat.into()),
            ("REGISTERED", self.registered_at.into()),
            ("SESSION", self.session_id.as_ref().map(text).into()),
            ("PERMISSIONS", Cell::words(&self.permissions)),
            ("ENDPOINT", self.endpoint_url.as_deref().into()),
            ("HEALTH CHECK", self.health_check_url.as_deref().into()),
            ("METADATA", Cell::long(self.metadata.as_str())),
            ("REVISION", text(self.revision)),
        ]
    }
}

impl Row for Capability {
    const HEADER: &'static [&'static str] = &["CAPABILITY", "AGENTS", "FREE SLOTS"];

    fn name(&self) -> String {
        self.capability.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.capability),
            text(self.agents),
            text(self.free_slots),
        ]
    }
}
