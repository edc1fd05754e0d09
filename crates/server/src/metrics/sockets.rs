//! What happened on this instance's sockets.

use mcpanel_realtime::Figures;

use super::text::{Kind, Text};

/// Writes it.
pub(crate) fn write(figures: &Figures, text: &mut Text) {
    let mut family = text.family(
        "sockets",
        Kind::Gauge,
        "Sockets that are open, by whether an agent lives there.",
    );
    for (kind, count) in figures.by_kind() {
        family.add(&[("kind", kind)], count);
    }
    text.one(
        "sockets_opened_total",
        Kind::Counter,
        "Sockets that were let in.",
        figures.opened(),
    );
    let mut labelled = |name, label, help, counts: &[(&'static str, u64)]| {
        let mut family = text.family(name, Kind::Counter, help);
        for (value, count) in counts {
            family.add(&[(label, value)], count);
        }
    };
    labelled(
        "sockets_ended_total",
        "code",
        "Sockets that ended, by the code that their peers were told; `left` where the peer went.",
        &figures.ends(),
    );
    labelled(
        "socket_handshakes_refused_total",
        "code",
        "Handshakes that were refused, by the problem's code.",
        &figures.refusals(),
    );
    labelled(
        "socket_messages_total",
        "event",
        "Messages that came over sockets; `other` is what nothing listens to.",
        &figures.messages(),
    );
    labelled(
        "socket_calls_total",
        "outcome",
        "Calls over sockets, by what became of them.",
        &figures.calls(),
    );
    labelled(
        "socket_deliveries_total",
        "outcome",
        "Deliveries of tasks to agents on sockets, by what became of them.",
        &figures.deliveries(),
    );
    text.one(
        "socket_deliveries_waiting",
        Kind::Gauge,
        "Deliveries that wait for an agent's word.",
        figures.deliveries_waiting(),
    );
    text.one(
        "socket_events_told_total",
        Kind::Counter,
        "Events written to sockets, each as often as there were sockets to be told.",
        figures.events_told(),
    );
    text.one(
        "socket_resyncs_total",
        Kind::Counter,
        "How often a socket was told that events are missing.",
        figures.resyncs(),
    );
}
