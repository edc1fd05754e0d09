//! One call: built, sent, repeated where that is safe, its answer read.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Response, StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Client, Created, Error, IdempotencyKey, Result, backoff::Backoff};

/// Largest JSON answer read, in bytes: a full claim of large parameters, and far less than memory.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A request that is about to be sent.
pub(crate) struct Call<'a> {
    client: &'a Client,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Result<Bytes>,
    repeatable: bool,
    extra_wait: Duration,
    /// A status that is an answer though it is no success.
    answering: Option<StatusCode>,
}

impl Client {
    /// A read, which may be repeated.
    pub(crate) fn read(&self, path: &str) -> Call<'_> {
        Call::new(self, Method::GET, path).repeatable()
    }

    /// A change; repeated only where it cannot have arrived, unless [`Call::repeatable`] or [`Call::keyed`].
    pub(crate) fn change(&self, method: Method, path: &str) -> Call<'_> {
        Call::new(self, method, path)
    }

    /// A `POST` of a JSON body.
    pub(crate) fn post<T: Serialize + ?Sized>(&self, path: &str, body: &T) -> Call<'_> {
        self.change(Method::POST, path).json(body)
    }
}

impl<'a> Call<'a> {
    fn new(client: &'a Client, method: Method, path: &str) -> Self {
        Self {
            client,
            method,
            url: format!("{}{path}", client.base),
            headers: HeaderMap::new(),
            body: Ok(Bytes::new()),
            repeatable: false,
            extra_wait: Duration::ZERO,
            answering: None,
        }
    }

    /// Sends `body` as JSON.
    pub(crate) fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        self.body = serde_json::to_vec(body)
            .map(Bytes::from)
            .map_err(|error| Error::Config(format!("cannot write the request as JSON: {error}")));
        self
    }

    /// Adds the fields of `query` that have a value.
    pub(crate) fn query<T: Serialize>(mut self, query: &T) -> Self {
        match with_query(&self.url, query) {
            Ok(url) => self.url = url,
            Err(error) => self.body = Err(error),
        }
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::try_from(value) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(_) => {
                self.body = Err(Error::Config(format!(
                    "`{value}` cannot be sent as `{name}`"
                )));
            }
        }
        self
    }

    /// Marks a call that does the same when it arrives twice.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Marks a creation, which the key makes repeatable.
    pub(crate) fn keyed(self, key: &IdempotencyKey) -> Self {
        self.header(HeaderName::from_static("idempotency-key"), key.as_str())
            .repeatable()
    }

    /// Asks for ids instead of documents.
    pub(crate) fn minimal(self) -> Self {
        self.header(HeaderName::from_static("prefer"), "return=minimal")
    }

    /// Guards a change by the revision that its author saw; any when `None`.
    pub(crate) fn if_match(self, revision: Option<u64>) -> Self {
        match revision {
            Some(revision) => self.header(header::IF_MATCH, &format!("\"{revision}\"")),
            None => self.header(header::IF_MATCH, "*"),
        }
    }

    /// How long the server itself may wait before it answers.
    pub(crate) fn waits(mut self, wait: Duration) -> Self {
        self.extra_wait = wait;
        self
    }

    /// Takes this status for an answer too, unless it comes with a problem document.
    pub(crate) fn answering(mut self, status: StatusCode) -> Self {
        self.answering = Some(status);
        self
    }

    /// Sends, and reads the answer as `T`.
    pub(crate) async fn answer<T: DeserializeOwned>(self) -> Result<T> {
        let url = self.url.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Decode {
            url,
            why: error.to_string(),
        })
    }

    /// Sends, and expects no answer but that it was done.
    pub(crate) async fn done(self) -> Result<()> {
        self.bytes().await.map(|_| ())
    }

    /// Sends a creation, and reads the answer with whether it was given before.
    pub(crate) async fn created<T: DeserializeOwned>(self) -> Result<Created<T>> {
        let url = self.url.clone();
        let (headers, bytes) = self.whole().await?;
        let document = serde_json::from_slice(&bytes).map_err(|error| Error::Decode {
            url,
            why: error.to_string(),
        })?;
        let replayed = headers.get("idempotent-replayed");
        Ok(Created {
            document,
            is_replayed: replayed.is_some_and(|value| value == "true"),
        })
    }

    /// Sends, and reads the bytes of the answer.
    pub(crate) async fn bytes(self) -> Result<Bytes> {
        self.whole().await.map(|(_, bytes)| bytes)
    }

    /// Sends, and reads the headers and the bytes of the answer.
    async fn whole(mut self) -> Result<(HeaderMap, Bytes)> {
        let body = std::mem::replace(&mut self.body, Ok(Bytes::new()))?;
        let wait = self.client.config().answer_timeout + self.extra_wait;
        let this = &self;
        let once = || {
            let body = body.clone();
            let whole = async move {
                let mut response = this.send(body, wait).await?;
                let headers = std::mem::take(response.headers_mut());
                let bytes = read_whole(response, &this.url, wait).await?;
                Ok((headers, bytes))
            };
            timed(&this.url, wait, whole)
        };
        repeat(this.client, this.repeatable, once).await
    }

    /// Sends, and answers with the response as soon as its head is there; its body is the caller's to read.
    pub(crate) async fn response(mut self) -> Result<Response> {
        let body = std::mem::replace(&mut self.body, Ok(Bytes::new()))?;
        let wait = self.client.config().answer_timeout + self.extra_wait;
        let once = || timed(&self.url, wait, self.send(body.clone(), wait));
        repeat(self.client, self.repeatable, once).await
    }

    async fn send(&self, body: Bytes, wait: Duration) -> Result<Response> {
        let mut request = self
            .client
            .http
            .request(self.method.clone(), &self.url)
            .headers(self.headers.clone());
        request = self.client.signed(request);
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| Error::transport(&self.url, wait, error))?;
        if Some(response.status()) == self.answering && !is_problem(&response) {
            return Ok(response);
        }
        check(response, &self.url, wait).await
    }
}

fn is_problem(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

/// Adds the fields of `query` that have a value to an address.
pub(crate) fn with_query<T: Serialize>(url: &str, query: &T) -> Result<String> {
    let wrong = |why: String| Error::Config(format!("cannot write the query: {why}"));
    let value = serde_json::to_value(query).map_err(|error| wrong(error.to_string()))?;
    let mut url = reqwest::Url::parse(url).map_err(|error| wrong(error.to_string()))?;
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => {
                url.query_pairs_mut().append_pair(name, text);
            }
            other => {
                url.query_pairs_mut().append_pair(name, &other.to_string());
            }
        }
    }
    Ok(url.into())
}

/// Repeats `once` while that is safe, the failure passes, and patience lasts.
pub(crate) async fn repeat<T, F>(
    client: &Client,
    repeatable: bool,
    mut once: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut backoff = Backoff::within(client.config().patience);
    loop {
        let error = match once().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let may_repeat = error.changed_nothing() || (repeatable && error.is_transient());
        let asked = match &error {
            Error::Problem { retry_after, .. } => *retry_after,
            _ => None,
        };
        let Some(pause) = may_repeat.then(|| backoff.pause(asked)).flatten() else {
            return Err(error);
        };
        tracing::debug!(error = %error.chain(), ?pause, "a call is repeated");
        tokio::time::sleep(pause).await;
    }
}

/// Gives up after `wait`.
pub(crate) async fn timed<T>(
    url: &str,
    wait: Duration,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::time::timeout(wait, call).await.unwrap_or_else(|_| {
        Err(Error::Timeout {
            url: url.to_owned(),
            waited: wait,
        })
    })
}

/// Turns a refusal into an error.
pub(crate) async fn check(response: Response, url: &str, wait: Duration) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    let bytes = read_whole(response, url, wait).await?;
    match serde_json::from_slice(&bytes) {
        Ok(problem) => Err(Error::Problem {
            problem: Box::new(problem),
            retry_after,
        }),
        Err(_) => Err(Error::Foreign {
            url: url.to_owned(),
            status: status.as_u16(),
        }),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

async fn read_whole(mut response: Response, url: &str, wait: Duration) -> Result<Bytes> {
    if response.status() == StatusCode::NO_CONTENT {
        return Ok(Bytes::new());
    }
    let broken = |error| Error::transport(url, wait, error);
    let Some(first) = response.chunk().await.map_err(broken)? else {
        return Ok(Bytes::new());
    };
    let Some(second) = response.chunk().await.map_err(broken)? else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&second);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if whole.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Error::Decode {
                url: url.to_owned(),
                why: format!("it is larger than {ANSWER_BYTES_MAX} bytes"),
            });
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}
