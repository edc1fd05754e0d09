//! One request, with bounds on time and size.

use std::time::Duration;

use mcpanel_client::Trust;
use reqwest::{StatusCode, header, redirect};

use super::ServiceUrl;

/// How long a connection may take: the service is near, or it is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest answer read, in bytes: 64 notes of the most groups and kinds of advice stay below a tenth of it.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why there is no answer.
pub enum Failed {
    /// It may be there if asked again.
    ForNow(String),
    /// It will be the same.
    ForGood(String),
}

/// A client of the service whose requests take at most `timeout`. It follows no redirect: records go where they were
/// sent, or nowhere. With `https` it trusts whom this system trusts.
pub fn client(url: &ServiceUrl, timeout: Duration) -> Result<reqwest::Client, String> {
    let builder = Trust::System
        .connections(url.as_url())
        .map_err(|error| error.chain())?;
    builder
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("mcpanel/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

/// Sends a batch and reads the answer. What a refusal says is left out: it might repeat the records.
pub async fn analyze(
    http: &reqwest::Client,
    url: &ServiceUrl,
    body: &[u8],
) -> Result<Vec<u8>, Failed> {
    let request = http
        .post(url.analyze())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(body.to_vec());
    let mut response = request.send().await.map_err(|error| for_now(url, &error))?;
    let status = response.status();
    if status != StatusCode::OK {
        let why = format!("`{url}/analyze` answered with status {}", status.as_u16());
        return Err(if passes(status) {
            Failed::ForNow(why)
        } else {
            Failed::ForGood(why)
        });
    }
    let mut answer = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| for_now(url, &error))?
    {
        if answer.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(Failed::ForGood(format!(
                "the answer of `{url}/analyze` is longer than {ANSWER_BYTES_MAX} bytes"
            )));
        }
        answer.extend_from_slice(&piece);
    }
    Ok(answer)
}

fn passes(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
}

fn for_now(url: &ServiceUrl, error: &reqwest::Error) -> Failed {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off"
    };
    let mut why = format!("`{url}/analyze` {what}");
    // The deepest cause says what happened; those above it repeat the address.
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    if let Some(cause) = cause {
        why.push_str(&format!(": {cause}"));
    }
    Failed::ForNow(why)
}
