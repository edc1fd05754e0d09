//! What happens, read page by page or followed as it happens.

mod sse;

use std::time::Duration;

use bytes::Bytes;
use mcpanel_api::event::{Event, EventPage, EventQuery, EventReset};
use reqwest::{
    Response,
    header::{ACCEPT, HeaderName},
};
use serde::de::DeserializeOwned;

use crate::{Client, Error, Result, backoff::Backoff};
use sse::{Message, Parser};

/// Longest silence of a stream: three of the server's pings, which come every 15 s.
const SILENCE_MAX: Duration = Duration::from_secs(45);

impl Client {
    /// A page of events, oldest first.
    pub async fn list_events(&self, query: &EventQuery) -> Result<EventPage> {
        self.read("/api/v1/events").query(query).answer().await
    }

    /// Follows events as they happen, beginning after `query.after`, or now.
    pub fn follow_events(&self, query: EventQuery) -> Follow {
        Follow {
            client: self.clone(),
            last: query.after,
            query,
            stream: None,
            backoff: Backoff::endless(),
        }
    }
}

/// Something that a stream of events brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// It happened.
    Event(Box<Event>),
    /// Events were lost: the server does not keep so many. Read anew what matters, then go on.
    Reset,
}

/// A stream of events, which goes on over broken connections and restarts of the server.
pub struct Follow {
    client: Client,
    query: EventQuery,
    /// The number of the last event seen, which the next connection begins after.
    last: Option<u64>,
    stream: Option<Stream>,
    backoff: Backoff,
}

struct Stream {
    response: Response,
    parser: Parser,
}

impl Follow {
    /// Waits for the next happening. Fails only where going on is no use, such as with a wrong credential.
    /// Dropping the wait and waiting again loses nothing.
    pub async fn next(&mut self) -> Result<Happening> {
        loop {
            match self.step().await {
                Ok(Some(happening)) => {
                    self.backoff.reset();
                    return Ok(happening);
                }
                Ok(None) => {}
                Err(error) if error.is_transient() => {
                    self.stream = None;
                    tracing::debug!(error = %error.chain(), "the event stream is opened anew");
                    if let Some(pause) = self.backoff.pause(None) {
                        tokio::time::sleep(pause).await;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The number of the last event seen.
    pub fn last_seq(&self) -> Option<u64> {
        self.last
    }

    async fn step(&mut self) -> Result<Option<Happening>> {
        let url = format!("{}/api/v1/events/stream", self.client.base_url());
        if self.stream.is_none() {
            self.stream = Some(self.open().await?);
        }
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        if let Some(message) = stream.parser.message() {
            return self.take(&url, &message);
        }
        let chunk = tokio::time::timeout(SILENCE_MAX, stream.response.chunk())
            .await
            .map_err(|_| Error::Timeout {
                url: url.clone(),
                waited: SILENCE_MAX,
            })?
            .map_err(|error| Error::transport(&url, SILENCE_MAX, error))?;
        match chunk {
            Some(bytes) => stream.feed(&url, &bytes)?,
            None => {
                return Err(Error::Broken {
                    url,
                    source: "the server closed it".into(),
                });
            }
        }
        Ok(None)
    }

    async fn open(&self) -> Result<Stream> {
        let query = EventQuery {
            after: None,
            limit: None,
            ..self.query.clone()
        };
        let mut call = self
            .client
            .read("/api/v1/events/stream")
            .query(&query)
            .header(ACCEPT, "text/event-stream");
        if let Some(last) = self.last {
            call = call.header(HeaderName::from_static("last-event-id"), &last.to_string());
        }
        Ok(Stream {
            response: call.response().await?,
            parser: Parser::default(),
        })
    }

    fn take(&mut self, url: &str, message: &Message) -> Result<Option<Happening>> {
        if message.data.is_empty() {
            // A quiet word that tells how far the stream is, so that going on from there loses nothing.
            if let Some(seq) = message.id.as_deref().and_then(|id| id.parse().ok()) {
                self.last = Some(seq);
            }
            return Ok(None);
        }
        if message.event.as_deref() == Some("reset") {
            let reset: EventReset = decode(url, &message.data)?;
            self.last = Some(reset.last_seq);
            return Ok(Some(Happening::Reset));
        }
        let event: Event = decode(url, &message.data)?;
        self.last = Some(event.seq);
        Ok(Some(Happening::Event(Box::new(event))))
    }
}

fn decode<T: DeserializeOwned>(url: &str, data: &str) -> Result<T> {
    serde_json::from_str(data).map_err(|error| Error::Decode {
        url: url.to_owned(),
        why: error.to_string(),
    })
}

impl Stream {
    fn feed(&mut self, url: &str, bytes: &Bytes) -> Result<()> {
        self.parser.feed(bytes).map_err(|why| Error::Decode {
            url: url.to_owned(),
            why,
        })
    }
}
