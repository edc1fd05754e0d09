//! What the Socket.IO edge is given: who calls, what happens, and what agents call. The same functions as behind the
//! routes, with the same checks and the same errors.

mod desk;
mod follow;
mod identify;
mod scrape;

use std::sync::Arc;

use mcpanel_domain::limits::DELIVERY_GRACE_MS;
pub use mcpanel_realtime::{CallRate, Patience, Realtime, Settings};

use mcpanel_guard::Secret;
use mcpanel_realtime::Parts;
use mcpanel_store_mongo::stream::EventStream;

use crate::app::App;

/// The usual settings, for pages of these origins beside those of the server's own address.
pub fn settings(origins: Vec<String>) -> Settings {
    Settings {
        origins,
        delivery_ms: DELIVERY_GRACE_MS,
        ..Settings::default()
    }
}

/// Sockets over an application.
pub fn over(app: &App, settings: Settings) -> Realtime {
    let parts = Parts {
        identify: Arc::new(identify::Credentials::new(
            app.authenticator.clone(),
            app.env.clone(),
        )),
        follow: Arc::new(follow::Log::new(app.control.clone())),
        desk: Some(Arc::new(desk::Calls::new(app.clone()))),
        // They are told at the API's port.
        scrape: None,
    };
    let realtime = Realtime::new(parts, settings);
    // An application has the sockets that were put over it first.
    let _ = app.sockets.set(realtime.figures());
    realtime
}

/// Sockets over the events in Redis alone: people watch, agents are sent to an instance that runs the API.
pub fn over_events(events: EventStream, jwt: &Secret, settings: Settings) -> Realtime {
    let events = Arc::new(events);
    let parts = Parts {
        identify: Arc::new(identify::Signatures::new(jwt)),
        scrape: Some(Arc::new(scrape::Page::new(events.clone()))),
        follow: Arc::new(follow::Stream::new(events)),
        desk: None,
    };
    Realtime::new(parts, settings)
}

#[cfg(test)]
mod tests {
    use mcpanel_realtime::refusal::Refusal;

    use crate::error::Code;

    #[test]
    fn sockets_refuse_in_the_words_of_the_api() {
        for (code, status, title) in Refusal::ALL {
            let ours = Code::ALL.iter().find(|ours| ours.as_str() == *code);
            let ours = ours.unwrap_or_else(|| panic!("`{code}` is no code of the API"));
            assert_eq!((ours.status().as_u16(), ours.title()), (*status, *title));
        }
    }
}
